/** How a contestant is asked for the work, and how its answers read. All dialects ask for the same fields. */
export interface Dialect {
  /** A request for one endpoint. */
  one(username: string): string;
  readOne(answer: unknown): unknown;
  /** A request with two aliases for each name. Undefined: the contestant takes one name a request only. */
  readonly many?: (usernames: readonly string[]) => string;
  readonly readMany?: (answer: unknown) => unknown[];
  /** A request for a page with all fields; both numbers are multiples of ten. */
  readonly rows?: (offset: number, first: number) => string;
  readonly readRows?: (answer: unknown) => { nodes: unknown[]; totalCount: unknown };
}

export const FIELDS = "fragment F on SipEndpoint { username connectUrl sipUri audio video type }";

/** A document with two aliases a name, and its variables. */
export function aliases(
  usernames: readonly string[],
  type: string,
  field: (variable: string) => string,
): string {
  const variables = usernames.map((_, index) => `$n${index}`);
  const fields = [...variables, ...variables].map((name, index) => `a${index}: ${field(name)} { ...F }`);
  return JSON.stringify({
    query: `query Many(${variables.map((name) => `${name}: ${type}`).join(", ")}) { ${fields.join(" ")} } ${FIELDS}`,
    variables: Object.fromEntries(usernames.map((username, index) => [`n${index}`, username])),
  });
}

/** What is under `data`, by name. */
export function dataOf(answer: unknown): Record<string, unknown> {
  return (answer as { data: Record<string, unknown> }).data;
}

const ONE = `query One($username: ID!) { sipEndpoint(username: $username) { ...F } } ${FIELDS}`;
const ROWS = `query Rows($first: Int!, $offset: Int!) { sipEndpoints(first: $first, offset: $offset) { nodes { ...F } totalCount } } ${FIELDS}`;

/** The schema of this gateway. */
export const gatewayDialect: Dialect = {
  one: (username) => JSON.stringify({ query: ONE, variables: { username } }),
  readOne: (answer) => dataOf(answer).sipEndpoint,
  many: (usernames) => aliases(usernames, "ID!", (name) => `sipEndpoint(username: ${name})`),
  readMany: (answer) => Object.values(dataOf(answer)),
  rows: (offset, first) => JSON.stringify({ query: ROWS, variables: { first, offset } }),
  readRows: (answer) => dataOf(answer).sipEndpoints as { nodes: unknown[]; totalCount: unknown },
};

interface Page {
  readonly list: { readonly count: number; readonly rows: readonly { readonly sipEndpoint: unknown }[] };
}

/**
 * For tools that map calls to fields and cannot cut rows out of PIOPIY's pages of ten: the client asks for the pages
 * side by side, and each row leads to its endpoint.
 */
function pagesDialect(
  nameType: string,
  pageType: string,
  spell: (name: string, value: string) => string,
): Dialect {
  const field = (variable: string) => `sipEndpoint(${spell("username", variable)})`;
  return {
    one: (username) =>
      JSON.stringify({
        query: `query One($username: ${nameType}) { ${field("$username")} { ...F } } ${FIELDS}`,
        variables: { username },
      }),
    readOne: (answer) => dataOf(answer).sipEndpoint,
    many: (usernames) => aliases(usernames, nameType, field),
    readMany: (answer) => Object.values(dataOf(answer)),
    rows(offset, first) {
      const pages = Array.from({ length: first / 10 }, (_, index) => offset / 10 + index + 1);
      const declared = pages.map((_, index) => `$p${index}: ${pageType}`).join(", ");
      const fields = pages.map(
        (_, index) =>
          `p${index}: sipEndpointPage(${spell("page", `$p${index}`)}) { list { count rows { sipEndpoint { ...F } } } }`,
      );
      return JSON.stringify({
        query: `query Rows(${declared}) { ${fields.join(" ")} } ${FIELDS}`,
        variables: Object.fromEntries(pages.map((page, index) => [`p${index}`, page])),
      });
    },
    readRows(answer) {
      const pages = Object.values(dataOf(answer)) as Page[];
      const nodes = pages.flatMap(({ list }) => list.rows.map(({ sipEndpoint }) => sipEndpoint));
      return { nodes, totalCount: pages[0]?.list.count };
    },
  };
}

export const tailcallDialect = pagesDialect("ID!", "Int!", (name, value) => `${name}: ${value}`);
export const meshDialect = pagesDialect("String!", "Int!", (name, value) => `input: { ${name}: ${value} }`);

interface RestAnswer {
  readonly username: string;
  readonly connect_URL: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** No GraphQL: a name comes, and PIOPIY's answer goes. */
export const proxyDialect: Dialect = {
  one: (username) => JSON.stringify({ username }),
  readOne(answer) {
    const { username, connect_URL: connectUrl, audio, video, type } = answer as RestAnswer;
    return { username, connectUrl, sipUri: `sip:${username}@${connectUrl}`, audio, video, type };
  },
};

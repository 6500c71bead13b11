/** Builds the request bodies for a contestant and parses its responses. All contestants get queries for the same fields. */
export interface ContestantApi {
  /** Returns a query for one endpoint. */
  endpointQuery(username: string): string;
  parseEndpoint(response: unknown): unknown;
  /** Returns a query with two aliases for each name. Undefined when the contestant accepts only one name per request. */
  readonly aliasesQuery?: (usernames: readonly string[]) => string;
  readonly parseAliases?: (response: unknown) => unknown[];
  /** Returns a query for a page with all fields. Both numbers are multiples of ten. */
  readonly rowsQuery?: (offset: number, first: number) => string;
  /** Returns a query for the endpoints whose names contain a text. Undefined when the contestant cannot search. */
  readonly searchQuery?: (text: string) => string;
  readonly parseRows?: (response: unknown) => { nodes: unknown[]; totalCount: unknown };
}

const FIELDS = "fragment F on SipEndpoint { username connectUrl sipUri audio video type }";

/** Returns a document with two aliases for each name, and its variables. */
function aliases(usernames: readonly string[], type: string, field: (variable: string) => string): string {
  const variables = usernames.map((_, index) => `$n${index}`);
  const fields = [...variables, ...variables].map((name, index) => `a${index}: ${field(name)} { ...F }`);
  return JSON.stringify({
    query: `query Many(${variables.map((name) => `${name}: ${type}`).join(", ")}) { ${fields.join(" ")} } ${FIELDS}`,
    variables: Object.fromEntries(usernames.map((username, index) => [`n${index}`, username])),
  });
}

function dataOf(response: unknown): Record<string, unknown> {
  return (response as { data: Record<string, unknown> }).data;
}

const ONE = `query One($username: ID!) { sipEndpoint(username: $username) { ...F } } ${FIELDS}`;
const ROWS = `query Rows($first: Int!, $offset: Int!) { sipEndpoints(first: $first, offset: $offset) { nodes { ...F } totalCount } } ${FIELDS}`;

const SEARCH = `query Search($filter: SipEndpointFilter!) { sipEndpoints(first: 10, filter: $filter) { nodes { username } totalCount } }`;

/** The API of the contestants with the gateway's schema, as far as they implement it. */
export const graphApi: ContestantApi = {
  endpointQuery: (username) => JSON.stringify({ query: ONE, variables: { username } }),
  parseEndpoint: (response) => dataOf(response).sipEndpoint,
  aliasesQuery: (usernames) => aliases(usernames, "ID!", (name) => `sipEndpoint(username: ${name})`),
  parseAliases: (response) => Object.values(dataOf(response)),
  rowsQuery: (offset, first) => JSON.stringify({ query: ROWS, variables: { first, offset } }),
  parseRows: (response) => dataOf(response).sipEndpoints as { nodes: unknown[]; totalCount: unknown },
};

/** The API of this gateway. */
export const gatewayApi: ContestantApi = {
  ...graphApi,
  searchQuery: (contains) =>
    JSON.stringify({ query: SEARCH, variables: { filter: { username: { contains } } } }),
};

interface Page {
  readonly list: { readonly count: number; readonly rows: readonly { readonly sipEndpoint: unknown }[] };
}

/**
 * Returns the API of a tool that maps upstream requests to fields and cannot cut rows out of PIOPIY's pages of ten. The
 * client requests the pages in one document, and each row has its endpoint.
 */
function pagedApi(
  nameType: string,
  pageType: string,
  argument: (name: string, value: string) => string,
): ContestantApi {
  const field = (variable: string) => `sipEndpoint(${argument("username", variable)})`;
  return {
    endpointQuery: (username) =>
      JSON.stringify({
        query: `query One($username: ${nameType}) { ${field("$username")} { ...F } } ${FIELDS}`,
        variables: { username },
      }),
    parseEndpoint: (response) => dataOf(response).sipEndpoint,
    aliasesQuery: (usernames) => aliases(usernames, nameType, field),
    parseAliases: (response) => Object.values(dataOf(response)),
    rowsQuery(offset, first) {
      const pages = Array.from({ length: first / 10 }, (_, index) => offset / 10 + index + 1);
      const declared = pages.map((_, index) => `$p${index}: ${pageType}`).join(", ");
      const fields = pages.map(
        (_, index) =>
          `p${index}: sipEndpointPage(${argument("page", `$p${index}`)}) { list { count rows { sipEndpoint { ...F } } } }`,
      );
      return JSON.stringify({
        query: `query Rows(${declared}) { ${fields.join(" ")} } ${FIELDS}`,
        variables: Object.fromEntries(pages.map((page, index) => [`p${index}`, page])),
      });
    },
    parseRows(response) {
      const pages = Object.values(dataOf(response)) as Page[];
      const nodes = pages.flatMap(({ list }) => list.rows.map(({ sipEndpoint }) => sipEndpoint));
      return { nodes, totalCount: pages[0]?.list.count };
    },
  };
}

export const tailcallApi = pagedApi("ID!", "Int!", (name, value) => `${name}: ${value}`);
export const meshApi = pagedApi("String!", "Int!", (name, value) => `input: { ${name}: ${value} }`);

interface RestResponse {
  readonly username: string;
  readonly connect_URL: string;
  readonly audio: boolean;
  readonly video: boolean;
  readonly type: string;
}

/** The API without GraphQL: the request has a name, and the response is PIOPIY's. */
export const restApi: ContestantApi = {
  endpointQuery: (username) => JSON.stringify({ username }),
  parseEndpoint(response) {
    const { username, connect_URL: connectUrl, audio, video, type } = response as RestResponse;
    return { username, connectUrl, sipUri: `sip:${username}@${connectUrl}`, audio, video, type };
  },
};

import { aliases, type Dialect, dataOf, FIELDS } from "./contestant-api.js";

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

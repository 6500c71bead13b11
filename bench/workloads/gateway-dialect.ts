import { aliases, type Dialect, dataOf, FIELDS } from "./contestant-api.js";

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

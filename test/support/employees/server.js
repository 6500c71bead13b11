// Example of another subgraph: an employee directory, on PORT (default 4001).
import { readFileSync } from "node:fs";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginInlineTraceDisabled } from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSchema } from "graphql";

const sdl = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");
/** Fields and types that the subgraph specification adds to each schema. */
const FEDERATION = `
  extend type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
  type _Service { sdl: String }
  scalar _Any
  union _Entity = Employee | SipEndpoint
`;

const employees = [
  { id: "1", name: "Alice Adams", softphone: sipEndpoint("alice") },
  { id: "2", name: "Bob Brown", softphone: sipEndpoint("bob") },
  { id: "3", name: "Beth Brown", softphone: sipEndpoint("bob") },
  { id: "4", name: "Carol Clark", softphone: sipEndpoint("carol") },
  { id: "5", name: "Frank Fox", softphone: null },
];

function sipEndpoint(username) {
  return { username, employee: () => employees.find(({ softphone }) => softphone?.username === username) };
}

function findEntity({ __typename, id, username }) {
  if (__typename === "SipEndpoint") return { __typename, ...sipEndpoint(username) };
  const employee = employees.find((candidate) => candidate.id === id);
  return employee && { __typename, ...employee };
}

const server = new ApolloServer({
  schema: buildSchema(`${sdl}\n${FEDERATION}`, { assumeValidSDL: true }),
  rootValue: {
    employees,
    _service: { sdl },
    _entities: ({ representations }) => representations.map(findEntity),
  },
  plugins: [ApolloServerPluginInlineTraceDisabled()],
});
const listen = { host: process.env.HOST ?? "127.0.0.1", port: Number(process.env.PORT ?? 4001) };
const { url } = await startStandaloneServer(server, { listen });
process.stdout.write(`${url}\n`);

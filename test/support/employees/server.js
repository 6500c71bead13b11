// An example of another subgraph beside the gateway: an employee directory, on PORT (4001).
import { readFileSync } from "node:fs";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginInlineTraceDisabled } from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { parse } from "graphql";

const employees = [
  { id: "1", name: "Alice Adams", softphone: { username: "alice" } },
  { id: "2", name: "Bob Brown", softphone: { username: "bob" } },
  { id: "3", name: "Beth Brown", softphone: { username: "bob" } },
  { id: "4", name: "Carol Clark", softphone: { username: "carol" } },
  { id: "5", name: "Frank Fox", softphone: null },
];

const typeDefs = parse(readFileSync(new URL("schema.graphql", import.meta.url), "utf8"));
const resolvers = {
  Query: { employees: () => employees },
  Employee: { __resolveReference: ({ id }) => employees.find((employee) => employee.id === id) },
  SipEndpoint: {
    __resolveReference: ({ username }) => ({ username }),
    employee: ({ username }) => employees.find(({ softphone }) => softphone?.username === username),
  },
};

const server = new ApolloServer({
  schema: buildSubgraphSchema({ typeDefs, resolvers }),
  plugins: [ApolloServerPluginInlineTraceDisabled()],
});
const listen = { host: process.env.HOST ?? "127.0.0.1", port: Number(process.env.PORT ?? 4001) };
const { url } = await startStandaloneServer(server, { listen });
process.stdout.write(`${url}\n`);

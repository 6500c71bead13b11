import { globalAgent } from "node:http";
import { ApolloServer } from "@apollo/server";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import fastify from "fastify";
import { PiopiyDataSource } from "./piopiy-data-source.js";
import { readRows } from "./rows.js";
import { type Page, sdl } from "./sdl.js";
import { settings, tellStart } from "./settings.js";

interface Context {
  readonly piopiy: PiopiyDataSource;
}

// The data source's own fetch uses this agent, which has no bound of its own.
globalAgent.maxSockets = settings.maxConcurrency;

const server = fastify();
const apollo = new ApolloServer<Context>({
  typeDefs: sdl,
  resolvers: {
    Query: {
      sipEndpoint: (_root, { username }: { username: string }, { piopiy }) => piopiy.getSip(username),
      sipEndpoints: async (_root, { first, offset }: Page, { piopiy }) => {
        const { usernames, totalCount } = await readRows(first, offset, (page) => piopiy.listSip(page));
        return { nodes: () => Promise.all(usernames.map((name) => piopiy.getSip(name))), totalCount };
      },
    },
  },
  plugins: [fastifyApolloDrainPlugin(server)],
});
await apollo.start();
// A data source a request, and one cache for all of them, as Apollo's documentation has it.
await server.register(fastifyApollo(apollo), {
  context: async () => ({ piopiy: new PiopiyDataSource({ cache: apollo.cache }) }),
});
await server.listen({ host: "127.0.0.1", port: settings.port });
tellStart("Apollo Server with datasource-rest");

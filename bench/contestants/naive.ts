import "reflect-metadata";
import { globalAgent } from "node:http";
import { ApolloServer } from "@apollo/server";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import fastify from "fastify";
import { buildSchema } from "type-graphql";
import { NaiveResolver } from "./naive-schema.js";
import { settings, tellStart } from "./settings.js";

// The gateway's stack, written as one writes it first: every field asks PIOPIY.

// got uses this agent, which has no bound of its own.
globalAgent.maxSockets = settings.maxConcurrency;

const server = fastify();
const apollo = new ApolloServer({
  schema: await buildSchema({ resolvers: [NaiveResolver], validate: false }),
  plugins: [fastifyApolloDrainPlugin(server)],
});
await apollo.start();
await server.register(fastifyApollo(apollo));
await server.listen({ host: "127.0.0.1", port: settings.port });
tellStart("The naive server");

import { createRequire } from "node:module";
import fastify, { type FastifyPluginAsync } from "fastify";
import { mercurius } from "mercurius";
import type { MercuriusCacheOptions } from "mercurius-cache";
import { readRows } from "./piopiy.js";
import { type Page, sdl } from "./sdl.js";
import { settings } from "./settings.js";
import { getSip, listSip } from "./undici-client.js";

// The types of mercurius-cache declare a default export, which does not exist in an ES module.
const mercuriusCache: FastifyPluginAsync<MercuriusCacheOptions> = createRequire(import.meta.url)(
  "mercurius-cache",
);

const server = fastify();
await server.register(mercurius, {
  schema: sdl,
  jit: 1,
  resolvers: {
    Query: {
      sipEndpoint: (_root: unknown, { username }: { username: string }) => getSip(username),
      sipEndpoints: (_root: unknown, { first, offset }: Page) => readRows(first, offset, listSip),
    },
  },
  loaders: {
    SipEndpointConnection: {
      nodes: (queries: { obj: { usernames: string[] } }[]) =>
        Promise.all(queries.map(({ obj }) => Promise.all(obj.usernames.map(getSip)))),
    },
  },
});
await server.register(mercuriusCache, {
  ttl: settings.cacheMs / 1000,
  policy: {
    Query: { sipEndpoint: true, sipEndpoints: true },
    SipEndpointConnection: { nodes: true },
  },
});
await server.listen({ host: "127.0.0.1", port: settings.port });

import { createServer } from "node:http";
import { useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createSchema, createYoga } from "graphql-yoga";
import { readRows } from "./piopiy.js";
import { type Page, sdl } from "./sdl.js";
import { settings } from "./settings.js";
import { getSip, listSip } from "./undici-client.js";

const yoga = createYoga({
  schema: createSchema({
    typeDefs: sdl,
    resolvers: {
      Query: {
        sipEndpoint: (_root: unknown, { username }: { username: string }) => getSip(username),
        sipEndpoints: async (_root: unknown, { first, offset }: Page) => {
          const { usernames, totalCount } = await readRows(first, offset, listSip);
          return { nodes: () => Promise.all(usernames.map(getSip)), totalCount };
        },
      },
    },
  }),
  graphiql: false,
  landingPage: false,
  plugins: [useResponseCache({ session: () => null, ttl: settings.cacheMs })],
});

createServer(yoga).listen(settings.port, "127.0.0.1");

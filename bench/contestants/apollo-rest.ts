import { globalAgent } from "node:http";
import {
  type CacheOptions,
  RESTDataSource,
  type RequestDeduplicationPolicy,
  type RequestOptions,
} from "@apollo/datasource-rest";
import { ApolloServer } from "@apollo/server";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import fastify from "fastify";
import { type Endpoint, readEndpoint, readRows, type UpstreamEndpoint, type UpstreamPage } from "./piopiy.js";
import { type Page, sdl } from "./sdl.js";
import { settings } from "./settings.js";

/** Sends PIOPIY's reads. They are POST requests, which are shared and cached only with the three overrides. */
export class PiopiyDataSource extends RESTDataSource {
  override baseURL = settings.upstreamUrl;

  async getSip(username: string): Promise<Endpoint | null> {
    const body = { ...settings.account, username };
    return readEndpoint(await this.post<UpstreamEndpoint>("get_sip", { body }));
  }

  listSip(page: number): Promise<UpstreamPage> {
    return this.post<UpstreamPage>("list_sip", { body: { ...settings.account, page } });
  }

  protected override cacheKeyFor(url: URL, request: RequestOptions): string {
    return `${url} ${request.body}`;
  }

  protected override requestDeduplicationPolicyFor(
    url: URL,
    request: RequestOptions,
  ): RequestDeduplicationPolicy {
    return {
      policy: "deduplicate-during-request-lifetime",
      deduplicationKey: this.cacheKeyFor(url, request),
    };
  }

  protected override cacheOptionsFor(): CacheOptions {
    return { ttl: settings.cacheMs / 1000 };
  }
}

interface Context {
  readonly piopiy: PiopiyDataSource;
}

// The data source's default fetch uses this agent, which has no limit by default.
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
// One data source per request, and one cache for all of them, as in Apollo's documentation.
await server.register(fastifyApollo(apollo), {
  context: async () => ({ piopiy: new PiopiyDataSource({ cache: apollo.cache }) }),
});
await server.listen({ host: "127.0.0.1", port: settings.port });

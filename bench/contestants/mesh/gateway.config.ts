import { Agent } from "node:http";
import { defineConfig } from "@graphql-hive/gateway";

interface Named {
  readonly username: string;
  readonly connect_URL: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number(process.env.MAX_CONCURRENCY) });

export const gatewayConfig = defineConfig({
  additionalResolvers: {
    SipEndpoint: {
      connectUrl: { selectionSet: "{ connect_URL }", resolve: (endpoint: Named) => endpoint.connect_URL },
      sipUri: {
        selectionSet: "{ username connect_URL }",
        resolve: ({ username, connect_URL }: Named) => `sip:${username}@${connect_URL}`,
      },
    },
  },
  customAgent: () => agent,
  inboundInflightRequestDeduplication: true,
  cache: { type: "localforage" },
  responseCaching: { session: () => null, ttl: Number(process.env.CACHE_MS) },
  landingPage: false,
  graphiql: false,
});

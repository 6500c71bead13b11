import { buildSubgraphSchema } from "@apollo/subgraph";
import type { GraphQLResolverMap } from "@apollo/subgraph/dist/schema-helper/index.js";
import { printSchemaWithDirectives } from "@graphql-tools/utils";
import { type GraphQLSchema, parse } from "graphql";
import { buildSchemaSync, createResolversMap } from "type-graphql";
import { ConnectActionResolver } from "./connect-action/connect-action.resolver.js";
import { resolveSipEndpointReference, SipEndpointResolver } from "./sip-endpoint/sip-endpoint.resolver.js";
import { SipEndpointMutationsResolver } from "./sip-endpoint/sip-endpoint-mutations.resolver.js";
import { SipEndpointsResolver } from "./sip-endpoint/sip-endpoints.resolver.js";

const FEDERATION = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])\n';

/**
 * The graph as an Apollo Federation subgraph. type-graphql knows nothing of federation, so its schema is
 * printed and built again from the text; on that way enum values that differ from their names and all
 * `extensions` would be lost, which is why the graph uses neither.
 */
export function buildGatewaySchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      SipEndpointResolver,
      SipEndpointsResolver,
      SipEndpointMutationsResolver,
      ConnectActionResolver,
    ],
    validate: false,
  });
  const typeDefs = parse(FEDERATION + printSchemaWithDirectives(schema));
  // The two libraries agree on what a map of resolvers is, but not on how its type is written.
  const resolvers = createResolversMap(schema) as Record<string, object>;
  const SipEndpoint = { ...resolvers.SipEndpoint, __resolveReference: resolveSipEndpointReference };
  return buildSubgraphSchema({
    typeDefs,
    resolvers: { ...resolvers, SipEndpoint } as GraphQLResolverMap<unknown>,
  });
}

import type { GraphQLSchema } from "graphql";
import { buildSchemaSync } from "type-graphql";
import { ConnectActionResolver } from "./connect-action/connect-action.resolver.js";
import { ValidatePcmoResolver } from "./pcmo/validate-pcmo.resolver.js";
import { enforceScopes } from "./scopes.js";
import { resolveSipEndpointReference, SipEndpointResolver } from "./sip-endpoint/sip-endpoint.resolver.js";
import { SipEndpointMutationsResolver } from "./sip-endpoint/sip-endpoint-mutations.resolver.js";
import { SipEndpointsResolver } from "./sip-endpoint/sip-endpoints.resolver.js";
import { buildSubgraph } from "./subgraph.js";

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@authenticated", "@key", "@requiresScopes", "@shareable", "@tag"])`;

/** Builds the graph, as an Apollo Federation subgraph that enforces scopes. */
export function buildGatewaySchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      SipEndpointResolver,
      SipEndpointsResolver,
      SipEndpointMutationsResolver,
      ConnectActionResolver,
      ValidatePcmoResolver,
    ],
    validate: false,
  });
  return enforceScopes(buildSubgraph(schema, LINKS, { SipEndpoint: resolveSipEndpointReference }));
}

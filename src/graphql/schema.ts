import {
  DirectiveLocation,
  GraphQLDirective,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLSchema,
  specifiedDirectives,
} from "graphql";
import { buildSchemaSync } from "type-graphql";
import { ConnectActionResolver } from "./connect-action/connect-action.resolver.js";
import { ValidatePcmoResolver } from "./pcmo/validate-pcmo.resolver.js";
import { enforceScopes } from "./scopes.js";
import { resolveSipEndpointReference, SipEndpointResolver } from "./sip-endpoint/sip-endpoint.resolver.js";
import { SipEndpointFieldsResolver } from "./sip-endpoint/sip-endpoint-fields.resolver.js";
import { SipEndpointMutationsResolver } from "./sip-endpoint/sip-endpoint-mutations.resolver.js";
import { SipEndpointsResolver } from "./sip-endpoint/sip-endpoints.resolver.js";
import { SipEndpointsMutationsResolver } from "./sip-endpoint/sip-endpoints-mutations.resolver.js";
import { buildSubgraph } from "./subgraph.js";

const LINKS = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@authenticated", "@key", "@requiresScopes", "@shareable", "@tag"])`;

const DESCRIPTION =
  "SIP endpoints and call control of TeleCMI PIOPIY, a cloud telephony platform.\n\n" +
  "A SIP endpoint is a username and a password with which a softphone, a mobile app or a browser registers to make and " +
  "receive calls. A PCMO document lists the actions that PIOPIY executes when a call comes in, such as ringing SIP " +
  "endpoints.\n\n" +
  "An upstream request is an HTTP request from the gateway to PIOPIY. The descriptions state how many upstream requests a " +
  "field costs. Cached data costs none.\n\n" +
  "Problems in an input are returned as data, in `userErrors`. All other errors are GraphQL errors with a code in " +
  "`extensions.code`.";

const QUERY_DESCRIPTION =
  "Operations that read SIP endpoints, and operations that build and validate PCMO documents. None of them changes data.";

const MUTATION_DESCRIPTION =
  "Operations that create, change and remove SIP endpoints. The mutations of one operation are executed in order, one after another.";

/** The directive that Relay and GraphQL Code Generator know by this definition. */
const semanticNonNull = new GraphQLDirective({
  name: "semanticNonNull",
  description:
    "The field is null only if the response has an error for it. Clients that handle errors may generate non-null types.",
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    levels: {
      type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(GraphQLInt))),
      defaultValue: [0],
      description: "Levels of lists to which the directive applies. 0 is the field itself.",
    },
  },
});

/** Builds the schema of the gateway: an Apollo Federation subgraph that enforces scopes. */
export function buildGatewaySchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      SipEndpointResolver,
      SipEndpointFieldsResolver,
      SipEndpointsResolver,
      SipEndpointMutationsResolver,
      SipEndpointsMutationsResolver,
      ConnectActionResolver,
      ValidatePcmoResolver,
    ],
    directives: [...specifiedDirectives, semanticNonNull],
    validate: false,
  });
  // type-graphql has no option for these descriptions.
  schema.description = DESCRIPTION;
  for (const [type, description] of [
    [schema.getQueryType(), QUERY_DESCRIPTION],
    [schema.getMutationType(), MUTATION_DESCRIPTION],
  ] as const) {
    if (type) type.description = description;
  }
  return enforceScopes(buildSubgraph(schema, LINKS, { SipEndpoint: resolveSipEndpointReference }));
}

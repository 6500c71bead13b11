import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginInlineTraceDisabled } from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";
import { buildSchema, parse } from "graphql";
import type { Subgraph } from "./supergraph.js";

const SDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  directive @semanticNonNull on FIELD_DEFINITION

  type Query {
    node(id: ID!): Node
    orders(first: Int = 10): OrderConnection!
    notify(to: PhoneNumber!, by: CallType = TEXT, target: TargetType, ring: RingType): NotifyPayload!
  }
  interface Node { id: ID! code: String! }
  type Order implements Node @key(fields: "id") { id: ID! code: String! @semanticNonNull agent: SipEndpoint }
  type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! }
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type SipEndpoint @key(fields: "id", resolvable: false) { id: ID! }
  type NotifyPayload { code: String! by: CallType target: TargetType userErrors: [UserError!]! }
  type UserError { code: String! field: [String!] message: String! suggestions: [UserErrorCode!] }
  enum UserErrorCode { RETRY }
  enum CallType { VOICE TEXT }
  enum TargetType { CUSTOMER SUPPLIER }
  enum RingType { LOUD QUIET }
  type Target { type: TargetType }
  scalar PhoneNumber @specifiedBy(url: "https://shop.example/phone-number")
`;
/** Fields and types that the subgraph specification adds to each schema. */
const FEDERATION = `
  extend type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
  type _Service { sdl: String }
  scalar _Any
  union _Entity = Order
`;

/** Returns a subgraph of another team. Many of its types have names that also fit the gateway's types. */
export function shop(url: string): Subgraph {
  return { name: "shop", url, typeDefs: parse(SDL) };
}

/** Serves the subgraph, with one order for each agent. */
export async function startShop(agentIds: readonly string[]): Promise<Subgraph & { close(): Promise<void> }> {
  const orders = agentIds.map((id, index) => ({
    __typename: "Order",
    id: `order-${index}`,
    code: "PAID",
    agent: { id },
  }));
  const server = new ApolloServer({
    schema: buildSchema(`${SDL}\n${FEDERATION}`, { assumeValidSDL: true }),
    rootValue: {
      node: ({ id }: { id: string }) => orders.find((order) => order.id === id),
      orders: { nodes: orders, pageInfo: { hasNextPage: false, hasPreviousPage: false } },
      notify: ({ by }: { by: string }) => ({
        code: "NOT_SENT",
        by,
        target: "CUSTOMER",
        userErrors: [{ code: "UNKNOWN_NUMBER", message: "The number is not a customer's." }],
      }),
    },
    plugins: [ApolloServerPluginInlineTraceDisabled()],
  });
  const { url } = await startStandaloneServer(server, { listen: { host: "127.0.0.1", port: 0 } });
  return { ...shop(url), close: () => server.stop() };
}

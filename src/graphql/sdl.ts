import { printSubgraphSchema } from "@apollo/subgraph";
import { type ASTNode, type GraphQLSchema, parse, print, visit } from "graphql";

const SECURITY = ["authenticated", "requiresScopes"];

/** The text of a subgraph's schema, as it is composed into a supergraph. */
export function printSdl(schema: GraphQLSchema): string {
  return `${printSubgraphSchema(schema)}\n`;
}

/**
 * The same without `@authenticated` and `@requiresScopes`, for routers that refuse a supergraph with them because
 * they could not enforce them, such as `@apollo/gateway`.
 */
export function printSdlWithoutSecurity(schema: GraphQLSchema): string {
  const isSecurity = (name: string) => SECURITY.includes(name.replace(/^@/, ""));
  const document = visit(parse(printSdl(schema)), {
    Directive: ({ name }): ASTNode | null | undefined => (isSecurity(name.value) ? null : undefined),
    StringValue: ({ value }): null | undefined =>
      value.startsWith("@") && isSecurity(value) ? null : undefined,
  });
  return `${print(document)}\n`;
}

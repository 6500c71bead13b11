import { buildSubgraphSchema } from "@apollo/subgraph";
import type { GraphQLResolverMap } from "@apollo/subgraph/dist/schema-helper/index.js";
import { printSchemaWithDirectives } from "@graphql-tools/utils";
import { type GraphQLSchema, isUnionType, parse } from "graphql";
import { createResolversMap } from "type-graphql";
import { GatewayError } from "../errors.js";

/** Finds an entity by the key that another subgraph holds; null when there is none. */
export type ResolveReference = (reference: never, context: never) => unknown;

/**
 * Makes an Apollo Federation subgraph of a schema by type-graphql, which knows nothing of federation: the schema
 * is printed and built again from the text. On that way enum values that differ from their names and all
 * `extensions` are lost.
 *
 * @param links what the text begins with: `extend schema @link(…)`, and definitions of custom directives
 * @param references how each entity is found, by the name of its type
 */
export function buildSubgraph(
  schema: GraphQLSchema,
  links: string,
  references: Readonly<Record<string, ResolveReference>>,
): GraphQLSchema {
  const typeDefs = parse(`${links}\n${printSchemaWithDirectives(schema)}`);
  // The two libraries agree on what a map of resolvers is, but not on how its type is written.
  const resolvers = createResolversMap(schema) as Record<string, object>;
  for (const [type, resolveReference] of Object.entries(references)) {
    resolvers[type] = { ...resolvers[type], __resolveReference: resolveReference };
  }
  const subgraph = buildSubgraphSchema({ typeDefs, resolvers: resolvers as GraphQLResolverMap<unknown> });
  return checkReferences(subgraph);
}

/** References are of a type that takes any JSON, and Apollo's resolver fails on what names no entity. */
function checkReferences(subgraph: GraphQLSchema): GraphQLSchema {
  const field = subgraph.getQueryType()?.getFields()._entities;
  const union = subgraph.getType("_Entity");
  if (!field?.resolve || !isUnionType(union)) return subgraph;
  const { resolve } = field;
  const names = union.getTypes().map(({ name }) => name);
  field.resolve = (source, args, context, info) => {
    const references = args.representations as readonly unknown[];
    const isEntity = (reference: unknown) => names.includes(Object(reference).__typename);
    if (references.every(isEntity)) {
      return resolve(source, args, context, info);
    }
    throw new GatewayError(
      "BAD_USER_INPUT",
      `Each of \`representations\` must be an object with a \`__typename\` of ${names.join(", ")}.`,
      { argumentName: "representations" },
    );
  };
  return subgraph;
}

import { getDocumentNodeFromSchema } from "@graphql-tools/utils";
import {
  type ASTNode,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  Kind,
  parse,
  print,
  visit,
} from "graphql";
import { GatewayError } from "../errors.js";

/** Finds an entity by its key, which another subgraph holds; null when there is none. */
export type ResolveReference = (reference: never, context: never) => unknown;

const SECURITY = ["authenticated", "requiresScopes"];

const anyType = new GraphQLScalarType({ name: "_Any" });
const serviceType = new GraphQLObjectType({ name: "_Service", fields: { sdl: { type: GraphQLString } } });

/**
 * Adds `_service` and `_entities` to a schema by type-graphql, which makes it an Apollo Federation subgraph.
 *
 * @param links what the SDL begins with: `extend schema @link(…)`, and definitions of custom directives
 * @param references how each entity is found, by the name of its type
 */
export function buildSubgraph(
  schema: GraphQLSchema,
  links: string,
  references: Readonly<Record<string, ResolveReference>>,
): GraphQLSchema {
  const { query, types, ...config } = schema.toConfig();
  const { fields, ...queryConfig } = (query as GraphQLObjectType).toConfig();
  const names = Object.keys(references);
  const typeNames = new WeakMap<object, string>();
  const entityType = new GraphQLUnionType({
    name: "_Entity",
    types: names.map((name) => schema.getType(name) as GraphQLObjectType),
    resolveType: (entity) => typeNames.get(entity),
  });
  const sdl = `${links}\n\n${printDefinitions(schema)}`;

  return new GraphQLSchema({
    ...config,
    query: new GraphQLObjectType({
      ...queryConfig,
      fields: {
        ...fields,
        _entities: {
          type: new GraphQLNonNull(new GraphQLList(entityType)),
          args: {
            representations: {
              type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(anyType))),
            },
          },
          resolve: (_source, { representations }, context) => resolveEntities(representations, context),
        },
        _service: { type: new GraphQLNonNull(serviceType), resolve: () => ({ sdl }) },
      },
    }),
    types: types.filter((type) => type !== query),
    extensions: { ...config.extensions, sdl },
  });

  function resolveEntities(representations: readonly unknown[], context: unknown): unknown[] {
    if (!representations.every(isRepresentation)) {
      throw new GatewayError(
        "BAD_USER_INPUT",
        `Each of \`representations\` must be an object with a \`__typename\` of ${names.join(", ")}.`,
        { argumentName: "representations" },
      );
    }
    // A promise for each, so that one that fails does not fail the others.
    return representations.map(async (representation) => {
      const entity = await references[representation.__typename]?.(representation as never, context as never);
      if (typeof entity === "object" && entity !== null) typeNames.set(entity, representation.__typename);
      return entity;
    });
  }

  function isRepresentation(value: unknown): value is { readonly __typename: string } {
    return names.includes(Object(value).__typename);
  }
}

/** Returns the SDL of a subgraph, as it is composed into a supergraph. */
export function printSdl(subgraph: GraphQLSchema): string {
  return `${subgraph.extensions.sdl}\n`;
}

/**
 * Returns the same without `@authenticated` and `@requiresScopes`, for routers that refuse a supergraph with them because
 * they could not enforce them, such as `@apollo/gateway`.
 */
export function printSdlWithoutSecurity(subgraph: GraphQLSchema): string {
  const isSecurity = (name: string) => SECURITY.includes(name.replace(/^@/, ""));
  const document = visit(parse(printSdl(subgraph)), {
    Directive: ({ name }): ASTNode | null | undefined => (isSecurity(name.value) ? null : undefined),
    StringValue: ({ value }): null | undefined =>
      value.startsWith("@") && isSecurity(value) ? null : undefined,
  });
  return `${print(document)}\n`;
}

/** Returns the SDL of a schema, with an empty line before each member that has a description. */
function printDefinitions(schema: GraphQLSchema): string {
  const { definitions } = getDocumentNodeFromSchema(schema);
  // The extension by `links` needs no definition: it follows from the names Query and Mutation.
  const types = definitions.filter(({ kind }) => kind !== Kind.SCHEMA_DEFINITION);
  return print({ kind: Kind.DOCUMENT, definitions: types }).replaceAll(
    /(?<=([{(]?)\n)( +)"""(?:.+"""|\n[\s\S]*?\n\2""")$/gm,
    (description, opening) => (opening === "" ? `\n${description}` : description),
  );
}

import { getDocumentNodeFromSchema } from "@graphql-tools/utils";
import {
  type ASTNode,
  type DefinitionNode,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
  Kind,
  type NamedTypeNode,
  type NameNode,
  parse,
  print,
  type TypeNode,
  visit,
} from "graphql";
import { GatewayError } from "../errors.js";

/** Returns the entity with the key that a router has sent, or null if there is no such entity. */
export type ResolveReference = (reference: never, context: never) => unknown;

const SECURITY = ["authenticated", "requiresScopes"];
const FEDERATION_DIRECTIVES = [...SECURITY, "key", "shareable", "tag"];

const anyType = new GraphQLScalarType({
  name: "_Any",
  description: "Apollo Federation: an entity as `__typename` and the fields of its key.",
});
const serviceType = new GraphQLObjectType({
  name: "_Service",
  description: "Apollo Federation: the subgraph.",
  fields: { sdl: { type: GraphQLString, description: "SDL of the subgraph, for composition." } },
});

/**
 * Turns a schema of type-graphql into an Apollo Federation subgraph: adds `_service` and `_entities`.
 *
 * @param links `extend schema @link(…)`, and the definitions of custom directives
 * @param references a function for each entity type that finds an entity by its key
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
    description: "Apollo Federation: the entities of the subgraph.",
    types: names.map((name) => schema.getType(name) as GraphQLObjectType),
    resolveType: (entity) => typeNames.get(entity),
  });
  const sdl = printSubgraph(schema, links);

  const federatedQuery = new GraphQLObjectType({
    ...queryConfig,
    fields: {
      ...fields,
      _entities: {
        type: new GraphQLNonNull(new GraphQLList(entityType)),
        description: "Apollo Federation: returns entities by their keys, for routers.",
        args: {
          representations: {
            type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(anyType))),
            description: "Keys of the entities to return.",
          },
        },
        resolve: (_source, { representations }, context) => resolveEntities(representations, context),
      },
      _service: {
        type: new GraphQLNonNull(serviceType),
        description: "Apollo Federation: returns the subgraph, for composition.",
        resolve: () => ({ sdl }),
      },
    },
  });
  return new GraphQLSchema({
    ...config,
    query: federatedQuery,
    types: types.map((type) => (type === query ? federatedQuery : type)),
    extensions: { ...config.extensions, sdl },
  });

  function resolveEntities(representations: readonly unknown[], context: unknown): unknown[] {
    // Each representation has its own promise, so that the failure of one entity does not affect the others.
    return representations.map(async (representation) => {
      if (!isRepresentation(representation)) {
        throw new GatewayError(
          "BAD_USER_INPUT",
          `Each of \`representations\` must be an object with a \`__typename\` of ${names.join(", ")}.`,
          { argumentName: "representations" },
        );
      }
      const entity = await references[representation.__typename]?.(representation as never, context as never);
      if (typeof entity === "object" && entity !== null) typeNames.set(entity, representation.__typename);
      return entity;
    });
  }

  function isRepresentation(value: unknown): value is { readonly __typename: string } {
    return names.includes(Object(value).__typename);
  }
}

/** Returns the SDL for clients and their tools: without federation, and with `Node`. */
export function printClientSdl(subgraph: GraphQLSchema): string {
  const isFederation = (name: string) => name.startsWith("_") || FEDERATION_DIRECTIVES.includes(name);
  const { definitions } = visit(getDocumentNodeFromSchema(subgraph), {
    enter: (node): null | undefined =>
      "name" in node && node.name && isFederation(node.name.value) ? null : undefined,
  });
  return `${printTypes(definitions)}\n`;
}

/** Returns the SDL of a subgraph, for composition into a supergraph. */
export function printSubgraphSdl(subgraph: GraphQLSchema): string {
  return `${subgraph.extensions.sdl}\n`;
}

/**
 * Returns the SDL without `@authenticated` and `@requiresScopes`, for routers that cannot enforce these directives and therefore
 * reject a supergraph with them, such as `@apollo/gateway`.
 */
export function printSubgraphSdlWithoutSecurity(subgraph: GraphQLSchema): string {
  const isSecurity = (name: string) => SECURITY.includes(name.replace(/^@/, ""));
  const document = visit(parse(printSubgraphSdl(subgraph)), {
    Directive: ({ name }): ASTNode | null | undefined => (isSecurity(name.value) ? null : undefined),
    StringValue: ({ value }): null | undefined =>
      value.startsWith("@") && isSecurity(value) ? null : undefined,
  });
  return `${trimEmptyLines(print(document))}\n`;
}

/**
 * Returns the SDL of a schema that is extended by `links`. It contains a `schema` definition only if the schema has a description:
 * `extend schema` cannot have a description, and the default names Query and Mutation need no definition. The interface `Node` and
 * the fields that return it are left out: each subgraph has its own `Node`, and a router cannot know which of them has an id.
 */
function printSubgraph(schema: GraphQLSchema, links: string): string {
  const isNode = ({ name }: { readonly name: NameNode }) => (name.value === "Node" ? null : undefined);
  const { definitions } = visit(getDocumentNodeFromSchema(schema), {
    InterfaceTypeDefinition: isNode,
    FieldDefinition: ({ type }) => isNode(namedTypeIn(type)),
    NamedType: isNode,
  });
  const isSchema = ({ kind }: DefinitionNode) => kind === Kind.SCHEMA_DEFINITION;
  const schemaDefinitions = schema.description ? definitions.filter(isSchema) : [];
  const types = definitions.filter((definition) => !isSchema(definition));
  return [...schemaDefinitions.map(print), links, printTypes(types)].join("\n\n");
}

function namedTypeIn(type: TypeNode): NamedTypeNode {
  return type.kind === Kind.NAMED_TYPE ? type : namedTypeIn(type.type);
}

/** Returns the SDL of types, with an empty line before each member that has a description. */
function printTypes(definitions: readonly DefinitionNode[]): string {
  return trimEmptyLines(print({ kind: Kind.DOCUMENT, definitions })).replaceAll(
    /(?<=([{(]?)\n)( +)"""(?:.+"""|\n[\s\S]*?\n\2""")$/gm,
    (description, opening) => (opening === "" ? `\n${description}` : description),
  );
}

/** Removes the spaces in empty lines between the paragraphs of a description. */
function trimEmptyLines(sdl: string): string {
  return sdl.replaceAll(/^ +$/gm, "");
}

import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  type ValueNode,
  valueFromAST,
  visit,
} from "graphql";
import { requestsOf } from "../piopiy/pagination/join-pages.js";
import { PAGE_SIZE } from "../piopiy/protocol.js";
import type { Fragments } from "./document-limits.js";

/** The maximum number of rows that one list field may request. */
export const MAX_FIRST = 100;
/** The number of rows of a list field whose `first` and `last` are null or omitted. */
export const DEFAULT_FIRST = 10;
/** The maximum number of ids that `nodes` accepts. */
export const MAX_IDS = 100;
/** The maximum number of SIP endpoints that one mutation creates or removes. */
export const MAX_ITEMS = 200;
/** The number of fields that a mutation of many endpoints may select per endpoint without additional cost. It has fewer fields. */
const FREE_FIELDS_PER_ITEM = 40;
/** The cost of an upstream request, which occupies a slot of the concurrency limit for tens of milliseconds. */
export const REQUEST_COST = 5;
/**
 * The cost of an upstream request of a search. It is lower than `REQUEST_COST`, so that MAX_COST allows to search a long list. The
 * clients share these requests: the cache has the whole list, and equal requests in flight are sent once.
 */
export const SEARCH_REQUEST_COST = 1;
/** The maximum number of usernames to which a filter limits a search. */
export const MAX_NAMES = 200;
/** Validating PCMO takes up to a microsecond per byte, so an operation within the default MAX_COST takes at most 100 ms. */
const PCMO_BYTES_PER_UNIT = 20;
/** Coercing and validating one target takes up to 20 microseconds. */
const TARGETS_PER_UNIT = 5;
/** The cost of `_service`, which returns the schema's text of about 20 kB. */
const SERVICE_COST = 100;

/** Fields of a SIP endpoint that PIOPIY's list does not contain. One upstream request returns all of them. */
export const DETAILS = ["connectUrl", "sipUri", "audio", "video", "type"];

/** Returns whether PIOPIY's list does not contain a field, so that the field costs an upstream request for each row. */
export function isDetailField(typeName: string, fieldName: string): boolean {
  return typeName === "SipEndpoint" && DETAILS.includes(fieldName);
}

/** The input fields with the endpoints of the mutations of many endpoints. */
const itemLists: Readonly<Record<string, string>> = {
  createSipEndpoints: "items",
  removeSipEndpoints: "usernames",
};

/** Computes the cost of the root fields of one operation from their arguments. */
export class FieldCosts {
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #sizes = new Map<string, number>();

  /** @param variables the coerced variables of the operation */
  constructor(variables: Readonly<Record<string, unknown>>) {
    this.#variables = variables;
  }

  /** Returns the value of an argument, or its default. */
  argumentValue(field: GraphQLField<unknown, unknown>, node: FieldNode, name: string): unknown {
    const argument = field.args.find((candidate) => candidate.name === name);
    const given = node.arguments?.find((candidate) => candidate.name.value === name)?.value;
    return (
      argument && ((given && valueFromAST(given, argument.type, this.#variables)) ?? argument.defaultValue)
    );
  }

  /**
   * Returns the whole cost of a mutation of many endpoints: 1, and 1 for each endpoint. Only a selection that repeats fields with
   * many aliases costs more. Returns undefined for other fields.
   *
   * @param fields the number of selected fields: all of them, and those in lists
   */
  manyEndpointsCost(
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
    fields: { readonly fixed: number; readonly perRow: number },
  ): number | undefined {
    const list = itemLists[field.name];
    if (!list) return undefined;
    const items = lengthOf(Object(this.argumentValue(field, node, "input"))[list]);
    const free = FREE_FIELDS_PER_ITEM * Math.max(items, 1);
    return 1 + items + Math.max(0, fields.fixed + items * fields.perRow - free);
  }

  /**
   * Returns the cost of a root field in addition to 1 for each selected field: the upstream requests and the data that it
   * processes.
   *
   * @param hasDetails whether the field selects fields that need an upstream request for each row
   */
  rootFieldCost(
    operation: OperationDefinitionNode["operation"],
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
    hasDetails: boolean,
  ): number {
    if (operation === "mutation") return REQUEST_COST;
    const value = (name: string) => this.argumentValue(field, node, name);
    switch (field.name) {
      case "sipEndpoint":
      case "mySipEndpoint":
      case "node":
        return REQUEST_COST;
      case "nodes":
        return REQUEST_COST * idCount(value("ids"));
      case "sipEndpoints": {
        // The rows that a cursor stores are on up to two more pages. Every second page is read twice, or all of them. One more request
        // is added in case the list changes during the read, or for the number of rows if the last ones are requested.
        const isAtOffset = ["after", "last", "before"].every((name) => value(name) == null);
        const before = isAtOffset ? rowsBeforeOnPage(value("offset")) : 2 * PAGE_SIZE;
        const pages = Math.ceil((before + rowCount(value("first") ?? value("last"))) / PAGE_SIZE);
        return REQUEST_COST * (requestsOf(pages, hasDetails) + 1 + nameCount(value("filter")));
      }
      case "_entities":
        return REQUEST_COST * lengthOf(value("representations"));
      case "connectAction": {
        const targets = lengthOf(Object(value("input")).call);
        return (
          Math.floor(targets / TARGETS_PER_UNIT) + (value("verify") === true ? REQUEST_COST * targets : 0)
        );
      }
      case "validatePcmo": {
        const given = node.arguments?.find(({ name }) => name.value === "pcmo")?.value;
        return given ? Math.ceil(this.#literalSize(given) / PCMO_BYTES_PER_UNIT) : 0;
      }
      case "_service":
        return SERVICE_COST;
      default:
        return 0;
    }
  }

  /** Returns the size of a literal in bytes: its source, and the value of each variable, once per use of the variable. */
  #literalSize(literal: ValueNode): number {
    if (literal.kind === Kind.VARIABLE) return this.#variableSize(literal.name.value);
    let bytes = (literal.loc?.end ?? 0) - (literal.loc?.start ?? 0);
    visit(literal, {
      Variable: ({ name }) => {
        bytes += this.#variableSize(name.value);
      },
    });
    return bytes;
  }

  #variableSize(name: string): number {
    const known = this.#sizes.get(name);
    if (known !== undefined) return known;
    const size = Buffer.byteLength(JSON.stringify(this.#variables[name]) ?? "");
    this.#sizes.set(name, size);
    return size;
  }
}

/** Returns the number of rows that `first` or `last` requests. An invalid number is rejected later. */
export function rowCount(size: unknown): number {
  return Math.min(Math.max(typeof size === "number" ? size : DEFAULT_FIRST, 0), MAX_FIRST);
}

/** Returns the number of ids. Too many ids are rejected later, without an upstream request. */
export function idCount(ids: unknown): number {
  const count = lengthOf(ids);
  return count > MAX_IDS ? 0 : count;
}

/** Returns the number of usernames in a filter. Too many are rejected later, without an upstream request. */
function nameCount(filter: unknown): number {
  const { equals, in: names } = Object(Object(filter).username);
  const count = lengthOf(names);
  return (count > MAX_NAMES ? 0 : count) + (equals == null ? 0 : 1);
}

/** Returns the number of rows before an offset on its page. */
function rowsBeforeOnPage(offset: unknown): number {
  return typeof offset === "number" && offset > 0 ? offset % PAGE_SIZE : 0;
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** The bytes of the quotation marks, the colon and the comma of a member of a JSON object. */
const PUNCTUATION_BYTES = 6;

/**
 * Returns the approximate size in bytes of the result of `__schema` or `__type`. It runs the resolvers of graphql-js once for
 * each pair of a selection set and an element of the schema, even if the result contains the pair many times. So the computation
 * takes milliseconds even for a result of gigabytes.
 *
 * @param name the argument of `__type`
 */
export function introspectionSize(
  schema: GraphQLSchema,
  fragments: Fragments,
  root: FieldNode,
  name: unknown,
): number {
  const sizes = new Map<SelectionSetNode, Map<unknown, number>>();
  const info = { schema } as GraphQLResolveInfo;
  const meta = root.name.value === "__schema" ? SchemaMetaFieldDef : TypeMetaFieldDef;
  return valueSize(root, getNamedType(meta.type), meta.resolve?.(undefined, { name }, undefined, info));

  function valueSize(node: FieldNode, type: unknown, value: unknown): number {
    const own = (node.alias ?? node.name).value.length + PUNCTUATION_BYTES;
    const values = Array.isArray(value) ? value : [value];
    return values.reduce((sum: number, each) => {
      if (typeof each === "string") return sum + each.length + PUNCTUATION_BYTES;
      if (!node.selectionSet || !isObjectType(type) || each == null) return sum + PUNCTUATION_BYTES;
      return sum + objectSize(node.selectionSet, type, each);
    }, own);
  }

  function objectSize(set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number {
    const known = sizes.get(set) ?? new Map<unknown, number>();
    sizes.set(set, known);
    const size = known.get(source) ?? selectionsSize(set, type, source);
    known.set(source, size);
    return size;
  }

  function selectionsSize(set: SelectionSetNode, type: GraphQLObjectType, source: unknown): number {
    return set.selections.reduce((sum, node) => {
      if (node.kind === Kind.INLINE_FRAGMENT) return sum + objectSize(node.selectionSet, type, source);
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(node.name.value);
        return sum + (fragment ? objectSize(fragment.selectionSet, type, source) : 0);
      }
      const field = type.getFields()[node.name.value];
      if (!field) return sum + valueSize(node, undefined, type.name);
      const value: unknown = field.resolve?.(source, { includeDeprecated: true }, undefined, info);
      return sum + valueSize(node, getNamedType(field.type), value);
    }, 0);
  }
}

import { getDirective } from "@graphql-tools/utils";
import {
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isObjectType,
} from "graphql";
import { Directive } from "type-graphql";
import type { Scope } from "../config.js";
import { GatewayError } from "../errors.js";
import { formatValue, truncate } from "../format-value.js";
import { isUsername } from "../sip/username.js";
import type { Context } from "./context.js";

/** The scopes of the fields that Apollo Federation adds to `Query`. These fields have no directive. */
const federationScopes: Readonly<Record<string, readonly Scope[]>> = {
  _entities: ["sip:read", "sip:self"],
  _service: ["sip:read"],
};

/**
 * Enforces the directive `@requiresScopes`: a field with the directive is resolved only for clients that have one of its scopes. The
 * scope `sip:self` is not enough: see {@link accessEndpoint}. Writes each use of a scope other than `sip:read` to the audit log.
 * Throws if a field of `Query`, `Mutation` or `Subscription` has no scope, so that the gateway does not start with such a field.
 * Other fields without the directive need only the scope of their parent.
 */
export function enforceScopes(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const allowed = scopesOf(schema, field);
      const name = `${type.name}.${field.name}`;
      if (allowed) field.resolve = requireScope(name, allowed, field.resolve ?? defaultFieldResolver);
      else if (roots.includes(type))
        throw new Error(`${name} has no scope. Declare one with @RequiresScope.`);
    }
  }
  return schema;
}

function scopesOf(
  schema: GraphQLSchema,
  field: GraphQLField<unknown, Context>,
): readonly string[] | undefined {
  const [directive] = getDirective(schema, field, "requiresScopes") ?? [];
  return directive?.scopes.map(([scope]: string[]) => scope) ?? federationScopes[field.name];
}

type Resolver = GraphQLFieldResolver<unknown, Context>;

function requireScope(fieldName: string, allowed: readonly string[], resolve: Resolver): Resolver {
  return (source, args, context, info) => {
    const scope = allowed.find((each) => context.client.scopes.has(each));
    const username = () => usernameOf(args) ?? usernameOf(args.input) ?? usernameOf(source);
    if (scope === undefined) {
      context.audit(fieldName, username(), "FORBIDDEN");
      throw forbiddenError(
        `${fieldName} needs the scope ${allowed.join(" or ")}, which this credential does not have.`,
      );
    }
    const act = () => resolve(source, args, context, info);
    return scope === "sip:read" || scope === "sip:self"
      ? act()
      : recordUse(context, fieldName, username(), act);
  };
}

/**
 * Executes an action on an endpoint, if the client has the scope of the field, or if it has `sip:self` and the endpoint is its own.
 * The error for another endpoint is the same whether or not that endpoint exists. Writes each use of `sip:self` to the audit log.
 * The resolver of each field that allows `sip:self` must call this function, because only the resolver knows the endpoint.
 */
export async function accessEndpoint<Result>(
  context: Context,
  fieldName: string,
  scope: Scope,
  username: string,
  act: () => Promise<Result>,
): Promise<Result> {
  const { scopes, username: own } = context.client;
  if (scopes.has(scope)) return act();
  return recordUse(context, fieldName, usernameOf({ username }), async () => {
    if (scopes.has("sip:self") && username === own) return act();
    const rule = own === undefined ? "and it has none" : `which is ${formatValue(own)}`;
    throw forbiddenError(
      `${fieldName} needs the scope ${scope} for this SIP endpoint. With the scope sip:self, a credential can use only its own SIP endpoint, ${rule}.`,
    );
  });
}

function forbiddenError(problem: string): GatewayError {
  return new GatewayError(
    "FORBIDDEN",
    `${problem} Ask the operator of the gateway for a credential with this scope.`,
  );
}

/**
 * Executes an action and writes its outcome to the audit log. The resolver of a mutation of many endpoints calls this function for
 * each of them, so a payload with `results` has no entry of its own.
 */
export async function recordUse<Result>(
  context: Context,
  fieldName: string,
  username: string | undefined,
  act: () => Result,
): Promise<Awaited<Result>> {
  try {
    const result = await act();
    if (!hasResults(result)) context.audit(fieldName, username, userErrorCodes(result) || "done");
    return result;
  } catch (error) {
    context.audit(fieldName, username, error instanceof GatewayError ? error.code : "INTERNAL_SERVER_ERROR");
    throw error;
  }
}

function usernameOf(holder: unknown): string | undefined {
  const { username } = Object(holder) as { username?: unknown };
  if (typeof username !== "string") return undefined;
  return isUsername(username) ? username : truncate(username);
}

function hasResults(payload: unknown): boolean {
  const { results = [] } = Object(payload) as { results?: readonly unknown[] };
  return results.length > 0;
}

function userErrorCodes(result: unknown): string {
  const { userErrors = [] } = Object(result) as { userErrors?: readonly { code: string }[] };
  return [...new Set(userErrors.map(({ code }) => code))].join(" ");
}

/**
 * Declares the scopes of which a field needs one. The schema shows them to routers, and `enforceScopes` enforces them. The resolver
 * of a field that allows `sip:self` must call {@link accessEndpoint}.
 */
export function RequiresScope(...allowed: readonly Scope[]): PropertyDecorator & MethodDecorator {
  return Directive(`@requiresScopes(scopes: [${allowed.map((scope) => `["${scope}"]`).join(", ")}])`);
}

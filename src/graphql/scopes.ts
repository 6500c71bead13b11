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
import { truncate } from "../format-value.js";
import { isUsername } from "../sip/username.js";
import type { Context } from "./context.js";

/** The scopes of the fields that Apollo Federation adds to `Query`. These fields have no directive. */
const federationScopes: Readonly<Record<string, Scope>> = { _entities: "sip:read", _service: "sip:read" };

/**
 * Enforces the directive `@requiresScopes`: a field with the directive is resolved only for clients that have its scope. Writes each
 * use of a scope other than `sip:read` to the audit log. Throws if a field of `Query`, `Mutation` or `Subscription` has no scope, so
 * that the gateway does not start with such a field. Other fields without the directive need only the scope of their parent.
 */
export function enforceScopes(schema: GraphQLSchema): GraphQLSchema {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const scope = scopeOf(schema, field);
      const name = `${type.name}.${field.name}`;
      if (scope) field.resolve = requireScope(name, scope, field.resolve ?? defaultFieldResolver);
      else if (roots.includes(type))
        throw new Error(`${name} has no scope. Declare one with @RequiresScope.`);
    }
  }
  return schema;
}

function scopeOf(schema: GraphQLSchema, field: GraphQLField<unknown, Context>): string | undefined {
  const [directive] = getDirective(schema, field, "requiresScopes") ?? [];
  return directive?.scopes[0][0] ?? federationScopes[field.name];
}

type Resolver = GraphQLFieldResolver<unknown, Context>;

function requireScope(fieldName: string, scope: string, resolve: Resolver): Resolver {
  return (source, args, context, info) => {
    if (!context.client.scopes.has(scope)) {
      record("FORBIDDEN");
      throw new GatewayError(
        "FORBIDDEN",
        `${fieldName} needs the scope ${scope}, which this credential does not have. Ask the operator of the gateway for a credential with this scope.`,
      );
    }
    if (scope === "sip:read") return resolve(source, args, context, info);
    return resolveAndRecord();

    async function resolveAndRecord(): Promise<unknown> {
      try {
        const result = await resolve(source, args, context, info);
        record(userErrorCodes(result) || "done");
        return result;
      } catch (error) {
        record(error instanceof GatewayError ? error.code : "INTERNAL_SERVER_ERROR");
        throw error;
      }
    }

    function record(outcome: string): void {
      context.audit(fieldName, usernameOf(args) ?? usernameOf(args.input) ?? usernameOf(source), outcome);
    }
  };
}

function usernameOf(holder: unknown): string | undefined {
  const { username } = Object(holder) as { username?: unknown };
  if (typeof username !== "string") return undefined;
  return isUsername(username) ? username : truncate(username);
}

function userErrorCodes(result: unknown): string {
  const { userErrors = [] } = Object(result) as { userErrors?: readonly { code: string }[] };
  return userErrors.map(({ code }) => code).join(" ");
}

/** Declares the scope that a field needs. The schema shows the scope to routers, and `enforceScopes` enforces it. */
export function RequiresScope(scope: Scope): PropertyDecorator & MethodDecorator {
  return Directive(`@requiresScopes(scopes: [["${scope}"]])`);
}

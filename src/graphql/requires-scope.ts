import { Directive } from "type-graphql";
import type { Scope } from "../auth/client.js";

/** Says which scope a field needs. It is printed into the schema, so that a router can know it too; guard-fields.ts makes it hold. */
export function RequiresScope(scope: Scope): PropertyDecorator & MethodDecorator {
  return Directive(`@requiresScopes(scopes: [["${scope}"]])`);
}

import { Directive } from "type-graphql";

/** What callers may be allowed: to read endpoints and write PCMO, to change endpoints, to read a password. */
export type Scope = "sip:read" | "sip:write" | "sip:password";

/** Says which scope a field needs. It is printed into the schema, so that a router can know it too. */
export function RequiresScope(scope: Scope): PropertyDecorator & MethodDecorator {
  return Directive(`@requiresScopes(scopes: [["${scope}"]])`);
}

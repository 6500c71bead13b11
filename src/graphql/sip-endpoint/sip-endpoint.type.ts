import { Directive, Field, ID, ObjectType } from "type-graphql";

/**
 * What a resolver hands over about an endpoint: its name, and its password where PIOPIY gave it along. All
 * other fields are resolved from the name, and only when asked for.
 */
@ObjectType({
  description:
    "An account that a softphone, an app or a browser registers with at PIOPIY, to make and take audio and video calls.",
})
@Directive('@key(fields: "username")')
@Directive("@authenticated")
export class SipEndpoint {
  @Field(() => ID, {
    description:
      'The name it registers with, unique in the PIOPIY account, case-sensitive, never changed. Example: "alice".',
  })
  username: string;

  knownPassword: string | undefined;

  constructor(username: string, knownPassword?: string) {
    this.username = username;
    this.knownPassword = knownPassword;
  }
}

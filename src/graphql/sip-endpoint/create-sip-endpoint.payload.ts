import { Directive, Field, ObjectType } from "type-graphql";
import { UserError } from "../user-error.type.js";
import { SipEndpoint } from "./sip-endpoint.type.js";

@ObjectType({ description: "What became of a creation." })
export class CreateSipEndpointPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The new endpoint; null when the input had mistakes.",
  })
  readonly sipEndpoint: SipEndpoint | undefined;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: "The password that was set, given or made; null when the input had mistakes.",
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  readonly userErrors: UserError[];

  constructor(userErrors: UserError[], sipEndpoint?: SipEndpoint) {
    this.userErrors = userErrors;
    this.sipEndpoint = sipEndpoint;
  }
}

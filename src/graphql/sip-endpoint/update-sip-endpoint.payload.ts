import { Directive, Field, ObjectType } from "type-graphql";
import { UserError } from "../user-error.type.js";
import { SipEndpoint } from "./sip-endpoint.type.js";

@ObjectType({ description: "What became of a change of password." })
export class UpdateSipEndpointPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The endpoint with its new password; null when the input had mistakes.",
  })
  sipEndpoint?: SipEndpoint;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: "The password that was set, given or made; null when the input had mistakes.",
  })
  password?: string;

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  userErrors!: UserError[];
}

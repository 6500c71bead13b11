import { Field, ID, InputType } from "type-graphql";

@InputType({ description: "The SIP endpoint that is to be removed." })
export class RemoveSipEndpointInput {
  @Field(() => ID, {
    description: "The name of an existing endpoint, at most 256 bytes, without control characters.",
  })
  username!: string;
}

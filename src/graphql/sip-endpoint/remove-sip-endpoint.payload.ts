import { Field, ID, ObjectType } from "type-graphql";
import { UserError } from "../user-error.type.js";

@ObjectType({ description: "What became of a removal." })
export class RemoveSipEndpointPayload {
  @Field(() => ID, {
    nullable: true,
    description: "The name that was removed; null when the input had mistakes.",
  })
  username?: string;

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  userErrors!: UserError[];
}

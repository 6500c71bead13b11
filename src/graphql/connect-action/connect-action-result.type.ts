import { Field, ObjectType } from "type-graphql";
import { UserError } from "../user-error.type.js";
import { Pcmo } from "./pcmo.scalar.js";

@ObjectType({ description: "A PCMO document with a connect action, or what keeps it from being written." })
export class ConnectActionResult {
  @Field(() => Pcmo, {
    nullable: true,
    description: "The document to answer PIOPIY's call webhook with; null when the input had mistakes.",
  })
  pcmo?: unknown;

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  userErrors!: UserError[];
}

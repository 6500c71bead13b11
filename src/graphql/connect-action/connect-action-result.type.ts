import { Field, ObjectType } from "type-graphql";
import type { ConnectActionSpecification } from "../../pcmo/connect-action.js";
import { Pcmo } from "../pcmo/pcmo.scalar.js";
import { UserError } from "../user-error.type.js";
import { ConnectActionWarning } from "./connect-action-warning.type.js";

@ObjectType({ description: "A PCMO document with a connect action, or what keeps it from being written." })
export class ConnectActionResult {
  @Field(() => Pcmo, {
    nullable: true,
    description: "The document to answer PIOPIY's call webhook with; null when the input had mistakes.",
  })
  pcmo?: unknown;

  @Field(() => String, {
    nullable: true,
    description: "The document in one plain sentence; null when the input had mistakes.",
  })
  summary?: string;

  @Field(() => [ConnectActionWarning], { description: "What is legal and unwise in the input; often empty." })
  warnings!: readonly ConnectActionWarning[];

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  userErrors!: readonly UserError[];

  /** What an answer URL carries; undefined when the input had mistakes, or is too long for one. */
  forAnswerUrl?: ConnectActionSpecification | undefined;
}

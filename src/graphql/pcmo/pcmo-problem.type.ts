import { Field, ObjectType } from "type-graphql";
import type { PcmoProblem as Problem } from "../../pcmo/problem.js";
import { PcmoProblemCode } from "./pcmo-problem-code.enum.js";
import { PcmoSeverity } from "./pcmo-severity.enum.js";

@ObjectType({ description: "Something wrong, or unwise, in a PCMO document." })
export class PcmoProblem {
  @Field(() => String, {
    description:
      "Where in the document, as a JSON pointer (RFC 6901); empty for the whole document, and for a missing key what lacks " +
      'it. Example: "/0/call/1/user".',
  })
  pointer: string;

  @Field(() => PcmoProblemCode, { description: "What is wrong, for a program to act upon." })
  code: PcmoProblemCode;

  @Field(() => PcmoSeverity, { description: "Whether it must be mended." })
  severity: PcmoSeverity;

  @Field(() => String, { description: "What is wrong, for a person: what was expected and what came." })
  message: string;

  constructor({ pointer, code, severity, message }: Problem) {
    this.pointer = pointer;
    this.code = PcmoProblemCode[code];
    this.severity = PcmoSeverity[severity];
    this.message = message;
  }
}

import { Field, ObjectType } from "type-graphql";
import { ConnectActionWarningCode } from "./connect-action-warning-code.enum.js";

@ObjectType({
  description: "Something in an input that is legal and unwise. The document is written all the same.",
})
export class ConnectActionWarning {
  @Field(() => ConnectActionWarningCode, { description: "What is unwise, for a program to act upon." })
  code: ConnectActionWarningCode;

  @Field(() => String, { description: "What is unwise, for a person." })
  message: string;

  @Field(() => [String], {
    description:
      'Where in the input, from the outside in; list places count from 0. Example: ["call", "1", "user"].',
  })
  path: readonly string[];

  constructor(code: `${ConnectActionWarningCode}`, message: string, path: readonly string[]) {
    this.code = ConnectActionWarningCode[code];
    this.message = message;
    this.path = path;
  }
}

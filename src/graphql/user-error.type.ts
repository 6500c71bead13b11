import { Directive, Field, ObjectType } from "type-graphql";
import { UserErrorCode } from "./user-error-code.enum.js";

@Directive("@shareable")
@ObjectType({
  description:
    "A mistake in an input that its sender can mend. All mistakes are told at once, before PIOPIY is asked anything.",
})
export class UserError {
  @Field(() => UserErrorCode, { description: "What is wrong, for a program to act upon." })
  code: UserErrorCode;

  @Field(() => String, { description: "What is wrong, for a person: what was expected and what came." })
  message: string;

  @Field(() => [String], {
    description:
      'Where in the input, from the outside in; list places count from 0. Example: ["call", "1", "user"].',
  })
  path: readonly string[];

  constructor(code: `${UserErrorCode}`, message: string, path: readonly string[]) {
    this.code = UserErrorCode[code];
    this.message = message;
    this.path = path;
  }
}

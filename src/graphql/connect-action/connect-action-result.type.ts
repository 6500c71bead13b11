import { Field, ObjectType, registerEnumType } from "type-graphql";
import type { ConnectActionSpecification } from "../../pcmo/connect-action.js";
import { Pcmo } from "../pcmo/pcmo.scalar.js";
import { UserError } from "../user-error.js";

/** What is legal and unwise. Each value equals its name. */
enum ConnectActionWarningCode {
  SIMILAR_TARGETS = "SIMILAR_TARGETS",
  LONG_RINGING = "LONG_RINGING",
  OUTSIDE_NEWER_RANGE = "OUTSIDE_NEWER_RANGE",
  VIDEO_UNAVAILABLE = "VIDEO_UNAVAILABLE",
}

registerEnumType(ConnectActionWarningCode, {
  name: "ConnectActionWarningCode",
  description: "What is unwise in an input, for a program to act upon.",
  valuesConfig: {
    SIMILAR_TARGETS: { description: "Two targets differ by the case of their letters only." },
    LONG_RINGING: { description: "It may ring for more than 120 seconds, longer than most callers wait." },
    OUTSIDE_NEWER_RANGE: {
      description:
        "PIOPIY's newer API would refuse it: ringing takes 5 to 120 seconds there, talking 10 to 7200.",
    },
    VIDEO_UNAVAILABLE: {
      description: "A video call to an endpoint that takes none. Told when `verify` is true.",
    },
  },
});

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

import { Directive, Field, ObjectType, registerEnumType } from "type-graphql";

/** What is wrong with an input. Each value equals its name: a default with another value would reach resolvers as the name. */
enum UserErrorCode {
  USERNAME_TAKEN = "USERNAME_TAKEN",
  SIP_ENDPOINT_NOT_FOUND = "SIP_ENDPOINT_NOT_FOUND",
  INVALID_USERNAME = "INVALID_USERNAME",
  INVALID_PASSWORD = "INVALID_PASSWORD",
  INVALID_IDEMPOTENCY_KEY = "INVALID_IDEMPOTENCY_KEY",
  INVALID_PHONE_NUMBER = "INVALID_PHONE_NUMBER",
  OUT_OF_RANGE = "OUT_OF_RANGE",
  NO_TARGETS = "NO_TARGETS",
  TOO_MANY_TARGETS = "TOO_MANY_TARGETS",
  DUPLICATE_TARGET = "DUPLICATE_TARGET",
  ANSWER_URL_TOO_LONG = "ANSWER_URL_TOO_LONG",
}

registerEnumType(UserErrorCode, {
  name: "UserErrorCode",
  description: "What is wrong with an input, for a program to act upon.",
  valuesConfig: {
    USERNAME_TAKEN: { description: "An endpoint of this name exists already: choose another name." },
    SIP_ENDPOINT_NOT_FOUND: { description: "PIOPIY has no endpoint of this name." },
    INVALID_USERNAME: {
      description:
        "To create an endpoint, a name has 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen, beginning with a letter " +
        "or digit. Elsewhere a name has 1 to 256 bytes of UTF-8, and no control characters.",
    },
    INVALID_PASSWORD: {
      description: "A password has 1 to 128 characters, no control characters, and no space at either end.",
    },
    INVALID_IDEMPOTENCY_KEY: {
      description: "An idempotency key has 8 to 128 visible ASCII characters and no space.",
    },
    INVALID_PHONE_NUMBER: {
      description:
        "A phone number has 7 to 15 digits with the country code, with or without a leading plus sign.",
    },
    OUT_OF_RANGE: {
      description: "A number is smaller or larger than its field allows; the message tells the range.",
    },
    NO_TARGETS: { description: "The list of targets is empty: name at least one." },
    TOO_MANY_TARGETS: { description: "There are more than 100 targets." },
    DUPLICATE_TARGET: { description: "A user is named twice." },
    ANSWER_URL_TOO_LONG: { description: "The document does not fit into an answer URL of 4000 characters." },
  },
});

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

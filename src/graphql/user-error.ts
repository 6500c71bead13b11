import { Field, ObjectType, registerEnumType } from "type-graphql";
import { MAX_ITEMS } from "./cost.js";

/** The kinds of problems in an input. */
enum SipUserErrorCode {
  USERNAME_TAKEN = "USERNAME_TAKEN",
  SIP_ENDPOINT_NOT_FOUND = "SIP_ENDPOINT_NOT_FOUND",
  INVALID_USERNAME = "INVALID_USERNAME",
  INVALID_PASSWORD = "INVALID_PASSWORD",
  INVALID_IDEMPOTENCY_KEY = "INVALID_IDEMPOTENCY_KEY",
  NO_ITEMS = "NO_ITEMS",
  TOO_MANY_ITEMS = "TOO_MANY_ITEMS",
  DUPLICATE_USERNAME = "DUPLICATE_USERNAME",
  INVALID_PHONE_NUMBER = "INVALID_PHONE_NUMBER",
  OUT_OF_RANGE = "OUT_OF_RANGE",
  NO_TARGETS = "NO_TARGETS",
  TOO_MANY_TARGETS = "TOO_MANY_TARGETS",
  DUPLICATE_TARGET = "DUPLICATE_TARGET",
  ANSWER_URL_TOO_LONG = "ANSWER_URL_TOO_LONG",
}

registerEnumType(SipUserErrorCode, {
  name: "SipUserErrorCode",
  description: "Machine-readable codes of problems in an input.",
  valuesConfig: {
    USERNAME_TAKEN: {
      description:
        "A SIP endpoint with this username already exists, and was not created with the same `idempotencyKey` and password. Choose " +
        "another username, or set the password of the existing endpoint with `updateSipEndpoint`.",
    },
    SIP_ENDPOINT_NOT_FOUND: { description: "PIOPIY has no SIP endpoint with this username." },
    INVALID_USERNAME: {
      description:
        "The username is invalid. For a new SIP endpoint, the username must have 1 to 64 characters of A-Z, a-z, 0-9, dot, " +
        "underscore and hyphen, and start with a letter or a digit. For an existing SIP endpoint, the username must have 1 to " +
        "256 bytes of UTF-8 without control characters.",
    },
    INVALID_PASSWORD: {
      description:
        "The password is invalid. Allowed: 1 to 128 characters, no control characters, no space at either end.",
    },
    INVALID_IDEMPOTENCY_KEY: {
      description: "The idempotency key is invalid. Allowed: 8 to 128 visible ASCII characters, no spaces.",
    },
    NO_ITEMS: { description: "The list of SIP endpoints to create or remove is empty. Add at least one." },
    TOO_MANY_ITEMS: {
      description: `The list has more than ${MAX_ITEMS} SIP endpoints to create or remove. Send several lists.`,
    },
    DUPLICATE_USERNAME: {
      description:
        "The list contains the username more than once. Nothing is done for any of these items. Send the username once.",
    },
    INVALID_PHONE_NUMBER: {
      description:
        "The phone number is invalid. Allowed: 7 to 15 digits with the country code, with or without a leading plus sign.",
    },
    OUT_OF_RANGE: { description: "A number is too small or too large. The message states the range." },
    NO_TARGETS: { description: "The list of targets is empty. Add at least one target." },
    TOO_MANY_TARGETS: { description: "The list of targets has more than 100 targets." },
    DUPLICATE_TARGET: { description: "The list of targets contains the same username more than once." },
    ANSWER_URL_TOO_LONG: {
      description: "The document does not fit into an answer URL of 4000 characters. Use fewer targets.",
    },
  },
});

/** The description of a list of user errors. */
export const USER_ERRORS_DESCRIPTION =
  "Problems in the input that the client can fix. Empty if there are none.";

/** The description of the path to a value of an input. */
export const INPUT_PATH_DESCRIPTION =
  "Path of the value in the input: field names, and positions in lists, which count from 0. " +
  'Example: ["call", "1", "user"].';

@ObjectType({
  description:
    "A problem in an input that the client can fix. All invalid values of an input are reported together, before any " +
    "upstream request.",
})
export class SipUserError {
  @Field(() => SipUserErrorCode, { description: "Machine-readable code of the problem." })
  code: SipUserErrorCode;

  @Field(() => String, {
    description:
      "Human-readable description of the problem, in English: which value is invalid and what is allowed.",
  })
  message: string;

  @Field(() => [String], { description: INPUT_PATH_DESCRIPTION })
  path: readonly string[];

  constructor(code: `${SipUserErrorCode}`, message: string, path: readonly string[]) {
    this.code = SipUserErrorCode[code];
    this.message = message;
    this.path = path;
  }
}

import { Arg, Ctx, Field, ObjectType, Query, Resolver, registerEnumType } from "type-graphql";
import type { DocumentProblem } from "../../pcmo/explain.js";
import { validatePcmo } from "../../pcmo/validate.js";
import type { Context } from "../context.js";
import { Pcmo } from "../scalars.js";
import { RequiresScope } from "../scopes.js";

/** The kinds of problems in a PCMO document. */
enum PcmoProblemCode {
  WRONG_TYPE = "WRONG_TYPE",
  NUMBER_AS_TEXT = "NUMBER_AS_TEXT",
  MISSING_KEY = "MISSING_KEY",
  UNKNOWN_KEY = "UNKNOWN_KEY",
  CONFLICTING_KEYS = "CONFLICTING_KEYS",
  UNKNOWN_ACTION = "UNKNOWN_ACTION",
  INVALID_VALUE = "INVALID_VALUE",
  INVALID_URL = "INVALID_URL",
  INVALID_PHONE_NUMBER = "INVALID_PHONE_NUMBER",
  INVALID_USERNAME = "INVALID_USERNAME",
  EMPTY_TEXT = "EMPTY_TEXT",
  OUT_OF_RANGE = "OUT_OF_RANGE",
  NO_ACTIONS = "NO_ACTIONS",
  NO_TARGETS = "NO_TARGETS",
  TOO_MANY_TARGETS = "TOO_MANY_TARGETS",
  DUPLICATE_TARGET = "DUPLICATE_TARGET",
  SIP_URI_AS_USERNAME = "SIP_URI_AS_USERNAME",
  UNREACHABLE_ACTION = "UNREACHABLE_ACTION",
  UNCERTAIN_ACTION = "UNCERTAIN_ACTION",
  UNCERTAIN_FILE_TYPE = "UNCERTAIN_FILE_TYPE",
  UNDOCUMENTED_KEY = "UNDOCUMENTED_KEY",
  MORE_PROBLEMS = "MORE_PROBLEMS",
}

registerEnumType(PcmoProblemCode, {
  name: "PcmoProblemCode",
  description: "Machine-readable codes of problems in a PCMO document.",
  valuesConfig: {
    WRONG_TYPE: {
      description: "A value has an invalid type, such as an array where a string is required.",
    },
    NUMBER_AS_TEXT: { description: 'A number is in quotes. Write 20 instead of "20".' },
    MISSING_KEY: { description: "A required key of an action or of a target is missing." },
    UNKNOWN_KEY: {
      description: "PIOPIY's documentation has no such key for this action or target.",
    },
    CONFLICTING_KEYS: {
      description: "Two keys exclude each other: `file_name` and `file_url`, or `call` and `connect`.",
    },
    UNKNOWN_ACTION: { description: "PIOPIY's documentation has no such action." },
    INVALID_VALUE: { description: "A value is not allowed. The message states the allowed values." },
    INVALID_URL: { description: "A URL has an invalid scheme, has no host, or contains a space." },
    INVALID_PHONE_NUMBER: {
      description:
        "The phone number is invalid. Allowed: 7 to 15 digits with the country code, as a JSON number.",
    },
    INVALID_USERNAME: {
      description: "The username is empty or contains control characters.",
    },
    EMPTY_TEXT: { description: "A string is empty." },
    OUT_OF_RANGE: { description: "A number is too small or too large. The message states the range." },
    NO_ACTIONS: { description: "The document has no actions. Add at least one action." },
    NO_TARGETS: { description: "The list of targets is empty. Add at least one target." },
    TOO_MANY_TARGETS: { description: "The list of targets has more than 100 targets." },
    DUPLICATE_TARGET: { description: "The list of targets contains the same username more than once." },
    SIP_URI_AS_USERNAME: {
      description:
        "A target looks like a SIP URI, such as `sip:alice@sbc.example`, or contains `@`. PIOPIY rings a SIP endpoint by its " +
        "username. The message states the username to use. If PIOPIY has a SIP endpoint with exactly this name, ignore the warning.",
    },
    UNREACHABLE_ACTION: { description: "The action comes after a `hangup`, so PIOPIY does not execute it." },
    UNCERTAIN_ACTION: {
      description:
        "The action comes after a `connect`. PIOPIY does not document whether it executes such an action.",
    },
    UNCERTAIN_FILE_TYPE: {
      description: "The name of a file does not end in .mp3 or .wav. PIOPIY plays only these formats.",
    },
    UNDOCUMENTED_KEY: {
      description: "The key is in PIOPIY's SDK, but not in PIOPIY's documentation: `record` of a `connect`.",
    },
    MORE_PROBLEMS: {
      description: "The document has more problems than the report lists. The message states how many.",
    },
  },
});

enum PcmoSeverity {
  ERROR = "ERROR",
  WARNING = "WARNING",
}

registerEnumType(PcmoSeverity, {
  name: "PcmoSeverity",
  description: "Severities of problems in a PCMO document.",
  valuesConfig: {
    ERROR: {
      description: "PIOPIY's documentation does not allow this. Fix it before you use the document.",
    },
    WARNING: { description: "This is valid but may not have the intended effect." },
  },
});

@ObjectType({ description: "A problem in a PCMO document: an error or a warning." })
class PcmoProblem {
  @Field(() => String, {
    description:
      "Location of the problem in the document, as a JSON Pointer (RFC 6901). Empty for the whole document. For a missing key, " +
      'the location of the object that lacks the key. Example: "/0/call/1/user".',
  })
  pointer: string;

  @Field(() => PcmoProblemCode, { description: "Machine-readable code of the problem." })
  code: PcmoProblemCode;

  @Field(() => PcmoSeverity, { description: "Severity of the problem: an error or a warning." })
  severity: PcmoSeverity;

  @Field(() => String, {
    description:
      "Human-readable description of the problem, in English: which value is invalid and what is allowed.",
  })
  message: string;

  constructor({ pointer, code, severity, message }: DocumentProblem) {
    this.pointer = pointer;
    this.code = PcmoProblemCode[code];
    this.severity = PcmoSeverity[severity];
    this.message = message;
  }
}

@ObjectType({ description: "Result of `validatePcmo`." })
class PcmoReport {
  @Field(() => Boolean, { description: "Whether the document has no errors. It may have warnings." })
  valid!: boolean;

  @Field(() => [PcmoProblem], {
    description:
      "All problems of the document: errors first, then warnings, each in the order of the document. At most 100 problems. If " +
      "there are more, a last entry with the code `MORE_PROBLEMS` states how many.",
  })
  problems!: PcmoProblem[];

  @Field(() => [String], {
    description:
      "Description of the document: one English sentence for each action, in order. It states PIOPIY's defaults for omitted " +
      'values. Empty if the document has errors. Example: ["Plays welcome.mp3.", "Hangs up."].',
  })
  description!: readonly string[];

  @Field(() => Pcmo, {
    nullable: true,
    description:
      "The document as this gateway writes it: keys in the order of PIOPIY's documentation, the targets of a `connect` under the key that the gateway " +
      'is configured for (`call` or `connect`), and without a `ring_type` of "single", because that is PIOPIY\'s default. Nothing is added. ' +
      "Null if the document has errors.",
  })
  normalized!: unknown;
}

/** Validates PCMO documents, without upstream requests. */
@Resolver()
export class ValidatePcmoResolver {
  @RequiresScope("sip:read")
  @Query(() => PcmoReport, {
    nullable: true,
    description:
      "Validates a PCMO document. Reports all problems, describes each action, and returns the document as " +
      "this gateway writes it. Does not check whether SIP endpoints and files exist.\n\n" +
      "Costs no upstream request. Costs one unit of the rate limit for every 20 bytes of the document, rounded up. Requires the " +
      "scope `sip:read`.",
  })
  validatePcmo(
    @Arg("pcmo", () => Pcmo, {
      description:
        'The list of actions itself, not a string that contains JSON. In a query: `[{ action: "connect", timeout: 20, call: ' +
        '[{ type: "sip", user: "alice" }] }]`. In the JSON of the variables: `[{ "action": "connect", "timeout": 20, "call": ' +
        '[{ "type": "sip", "user": "alice" }] }]`.',
    })
    pcmo: unknown,
    @Ctx() { pcmoTargetsKey }: Context,
  ): PcmoReport {
    const { problems, ...report } = validatePcmo(pcmo, pcmoTargetsKey);
    return { ...report, problems: problems.map((problem) => new PcmoProblem(problem)) };
  }
}

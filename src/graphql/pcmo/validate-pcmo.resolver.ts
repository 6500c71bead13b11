import { Arg, Ctx, Field, ObjectType, Query, Resolver, registerEnumType } from "type-graphql";
import type { DocumentProblem } from "../../pcmo/explain.js";
import { validatePcmo } from "../../pcmo/validate.js";
import type { Context } from "../context.js";
import { Pcmo } from "../scalars.js";
import { RequiresScope } from "../scopes.js";

/** What is wrong, or unwise, in a PCMO document. */
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
  UNREACHABLE_ACTION = "UNREACHABLE_ACTION",
  UNCERTAIN_ACTION = "UNCERTAIN_ACTION",
  UNCERTAIN_FILE_TYPE = "UNCERTAIN_FILE_TYPE",
  UNDOCUMENTED_KEY = "UNDOCUMENTED_KEY",
  MORE_PROBLEMS = "MORE_PROBLEMS",
}

registerEnumType(PcmoProblemCode, {
  name: "PcmoProblemCode",
  description: "What is wrong, or unwise, in a PCMO document, for a program to act upon.",
  valuesConfig: {
    WRONG_TYPE: {
      description: "A value is of another type than its place wants, such as a list for a text.",
    },
    NUMBER_AS_TEXT: { description: 'A number is in quotes: write 20, not "20".' },
    MISSING_KEY: { description: "An action or a target lacks a key that it needs." },
    UNKNOWN_KEY: {
      description: "An action or a target has a key that PIOPIY's documents do not know there.",
    },
    CONFLICTING_KEYS: {
      description: "Two keys exclude each other: file_name and file_url, or call and connect.",
    },
    UNKNOWN_ACTION: { description: "PIOPIY's documents know no such action." },
    INVALID_VALUE: { description: "A value is none of those that its place allows; the message tells them." },
    INVALID_URL: { description: "A URL has a wrong scheme, no host, or a space." },
    INVALID_PHONE_NUMBER: {
      description: "A phone number has 7 to 15 digits with the country code, as a JSON number.",
    },
    INVALID_USERNAME: {
      description: "A username is empty, or has control characters.",
    },
    EMPTY_TEXT: { description: "A text is empty." },
    OUT_OF_RANGE: {
      description: "A number is smaller or larger than its place allows; the message tells the range.",
    },
    NO_ACTIONS: { description: "The document has no action, so that PIOPIY has nothing to do." },
    NO_TARGETS: { description: "The list of targets is empty: name at least one." },
    TOO_MANY_TARGETS: { description: "The list of targets is longer than 100." },
    DUPLICATE_TARGET: { description: "A user is in the list of targets twice." },
    UNREACHABLE_ACTION: { description: "Something comes after the call has been hung up." },
    UNCERTAIN_ACTION: {
      description: "Something comes after a connect, and PIOPIY does not document whether it runs.",
    },
    UNCERTAIN_FILE_TYPE: { description: "A file does not end in .mp3 or .wav, which is what PIOPIY plays." },
    UNDOCUMENTED_KEY: {
      description: "A key is in no document of PIOPIY, only in its library: `record` of a connect.",
    },
    MORE_PROBLEMS: { description: "There are more problems than are listed; the message tells how many." },
  },
});

enum PcmoSeverity {
  ERROR = "ERROR",
  WARNING = "WARNING",
}

registerEnumType(PcmoSeverity, {
  name: "PcmoSeverity",
  description: "How bad a problem of a PCMO document is.",
  valuesConfig: {
    ERROR: { description: "PIOPIY's documents do not allow it: mend it before PIOPIY gets the document." },
    WARNING: { description: "It is allowed, and may not do what was meant." },
  },
});

@ObjectType({ description: "Something wrong, or unwise, in a PCMO document." })
class PcmoProblem {
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

  constructor({ pointer, code, severity, message }: DocumentProblem) {
    this.pointer = pointer;
    this.code = PcmoProblemCode[code];
    this.severity = PcmoSeverity[severity];
    this.message = message;
  }
}

@ObjectType({ description: "What there is to say about a PCMO document before PIOPIY gets it." })
class PcmoReport {
  @Field(() => Boolean, { description: "Whether the document has no error; warnings do not count." })
  valid!: boolean;

  @Field(() => [PcmoProblem], {
    description:
      "All problems at once: errors first, then warnings, each in the order of the document. At most 100, and then one " +
      "that tells how many more there are.",
  })
  problems!: PcmoProblem[];

  @Field(() => [String], {
    description:
      "What the document does: a sentence for each action, in order; empty when it has errors. Values that are left out are told " +
      'as PIOPIY\'s defaults. Example: "Plays welcome.mp3.".',
  })
  description!: readonly string[];

  @Field(() => Pcmo, {
    nullable: true,
    description:
      "The same document as this gateway would write it: keys in PIOPIY's order, the targets under the key that the gateway is " +
      "configured for, no `ring_type` but group, and nothing added. Null when it has errors.",
  })
  normalized!: unknown;
}

/** Validates PCMO documents. It sends no upstream requests. */
@Resolver()
export class ValidatePcmoResolver {
  @RequiresScope("sip:read")
  @Query(() => PcmoReport, {
    description:
      "Judges a PCMO document with any actions before PIOPIY gets it: its mistakes, what it does, and how this gateway would write " +
      "it. Whether its endpoints and files exist is not asked. Costs a unit for each started 20 bytes of the document.",
  })
  validatePcmo(
    @Arg("pcmo", () => Pcmo, {
      description: 'The document, as JSON. Example: [{ "action": "hangup" }].',
    })
    pcmo: unknown,
    @Ctx() { pcmoTargetsKey }: Context,
  ): PcmoReport {
    const { problems, ...report } = validatePcmo(pcmo, pcmoTargetsKey);
    return { ...report, problems: problems.map((problem) => new PcmoProblem(problem)) };
  }
}

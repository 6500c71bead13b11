import { collectSubFields } from "@graphql-tools/utils";
import { type GraphQLResolveInfo, getNamedType, isObjectType } from "graphql";
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Info,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
  registerEnumType,
} from "type-graphql";
import { GatewayError } from "../../errors.js";
import { formatValue } from "../../format-value.js";
import {
  buildConnectAction,
  type ConnectActionSpecification,
  connectActionProblems,
  connectActionWarnings,
  type SpecificationProblem,
  type SpecificationWarning,
} from "../../pcmo/connect-action.js";
import { describeAction } from "../../pcmo/describe.js";
import type { PiopiyLoader } from "../../piopiy/loader.js";
import type { Context } from "../context.js";
import { Pcmo } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { UserError } from "../user-error.js";
import { ConnectActionInput } from "./connect-action.input.js";

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
class ConnectActionWarning {
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
class ConnectActionResult {
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

  /** The input for an answer URL; undefined when it had mistakes or is too long for one. */
  specification?: ConnectActionSpecification | undefined;
}

/** Ten years. */
const MAX_EXPIRY_SECONDS = 315_360_000;

/** PCMO documents that ring SIP endpoints. */
@Resolver(() => ConnectActionResult)
export class ConnectActionResolver {
  @RequiresScope("sip:read")
  @Query(() => ConnectActionResult, {
    description:
      "Writes the PCMO document that connects an incoming call to SIP endpoints: what an answer URL gives to PIOPIY. " +
      "Sends nothing to PIOPIY, unless `verify` is true: then one request for each target.",
  })
  async connectAction(
    @Arg("input", () => ConnectActionInput, { description: "Who rings, how, and for how long." })
    input: ConnectActionInput,
    @Arg("verify", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: "Whether to ask PIOPIY if every target exists, and takes video where the call is one.",
    })
    verify: boolean | null,
    @Ctx() { answerUrls, pcmoTargetsKey, piopiy }: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ConnectActionResult> {
    const problems = connectActionProblems(input);
    const verified = verify ? await verifyTargets(input, problems, piopiy) : { missing: [], warnings: [] };
    const mistakes = [...problems, ...verified.missing];
    const userErrors = mistakes.map(({ code, message, path }) => new UserError(code, message, path));
    if (userErrors.length > 0) return { userErrors, warnings: [] };
    const warnings = [...connectActionWarnings(input), ...verified.warnings];
    const fits = answerUrls?.fits(input) ?? true;
    if (!fits && selectsAnswerUrl(info)) userErrors.push(tooLongError());
    const pcmo = buildConnectAction(input, pcmoTargetsKey);
    return {
      pcmo,
      summary: describeAction(pcmo[0]),
      warnings: warnings.map(({ code, message, path }) => new ConnectActionWarning(code, message, path)),
      userErrors,
      specification: fits ? input : undefined,
    };
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      "An address that answers PIOPIY's call webhook with exactly this document: paste it as the answer URL of your PIOPIY number. It " +
      "is signed and carries the document, so nothing is stored and it cannot be altered. Null when the input had mistakes, or " +
      "is too long for an address. NOT_CONFIGURED where the gateway has no public address.",
  })
  answerUrl(
    @Root() { specification }: ConnectActionResult,
    @Arg("expiresIn", () => Int, {
      nullable: true,
      description: "For how many seconds it holds, 1 to 315360000 (ten years). Left out, it does not expire.",
    })
    expiresIn: number | null,
    @Ctx() context: Context,
  ): string | null {
    const { answerUrls } = context;
    context.noStore();
    if (expiresIn != null && (expiresIn < 1 || expiresIn > MAX_EXPIRY_SECONDS)) {
      const message = `\`expiresIn\` must be 1 to ${MAX_EXPIRY_SECONDS} seconds; it is ${expiresIn}.`;
      throw new GatewayError("BAD_USER_INPUT", message, { argumentName: "expiresIn" });
    }
    if (!answerUrls) {
      throw new GatewayError(
        "NOT_CONFIGURED",
        "This gateway makes no answer URLs: its operator must set PUBLIC_URL and ANSWER_URL_SECRET.",
      );
    }
    return specification ? answerUrls.create(specification, expiresIn) : null;
  }
}

/** The problem of a target that PIOPIY does not have. */
interface MissingTarget {
  readonly code: "SIP_ENDPOINT_NOT_FOUND";
  readonly message: string;
  readonly path: readonly string[];
}

/** Reads every target that has no problem yet, in parallel, and returns the ones that are missing or have no video. */
async function verifyTargets(
  { call, callType }: ConnectActionSpecification,
  problems: readonly SpecificationProblem[],
  piopiy: PiopiyLoader,
): Promise<{ missing: MissingTarget[]; warnings: SpecificationWarning[] }> {
  const invalidPaths = new Set(problems.map(({ path }) => path.join("/")));
  const missing: MissingTarget[] = [];
  const warnings: SpecificationWarning[] = [];
  if (invalidPaths.has("call")) return { missing, warnings };
  const targets = call
    .map(({ user }, index) => ({ user, path: ["call", String(index), "user"] }))
    .filter(({ path }) => !invalidPaths.has(path.join("/")));
  const records = await Promise.all(targets.map(({ user }) => piopiy.endpoint(user)));
  targets.forEach(({ user, path }, index) => {
    const record = records[index];
    const name = formatValue(user);
    if (!record) {
      missing.push({ code: "SIP_ENDPOINT_NOT_FOUND", message: `PIOPIY has no SIP endpoint ${name}.`, path });
    } else if (callType === "VIDEO" && record.video === false) {
      warnings.push({ code: "VIDEO_UNAVAILABLE", message: `The SIP endpoint ${name} takes no video.`, path });
    }
  });
  return { missing, warnings };
}

function selectsAnswerUrl({
  schema,
  fragments,
  variableValues,
  returnType,
  fieldNodes,
}: GraphQLResolveInfo): boolean {
  const type = getNamedType(returnType);
  if (!isObjectType(type)) return false;
  const { fields } = collectSubFields(schema, fragments, variableValues, type, [...fieldNodes]);
  return [...fields.values()].some(([node]) => node?.name.value === "answerUrl");
}

function tooLongError(): UserError {
  return new UserError(
    "ANSWER_URL_TOO_LONG",
    "This document is too long for an address of 4000 characters. Name fewer targets, or answer the webhook with `pcmo` yourself.",
    ["call"],
  );
}

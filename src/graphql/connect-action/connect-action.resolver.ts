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
import { argumentError, GatewayError } from "../../errors.js";
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
import { sipUriAdvice } from "../../pcmo/sip-uri-advice.js";
import type { PiopiyLoader } from "../../piopiy/loader.js";
import type { Context } from "../context.js";
import { Pcmo } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { INPUT_PATH_DESCRIPTION, SipUserError, USER_ERRORS_DESCRIPTION } from "../user-error.js";
import { ConnectActionInput } from "./connect-action.input.js";

/** The kinds of discouraged input. */
enum ConnectActionWarningCode {
  SIP_URI_AS_USERNAME = "SIP_URI_AS_USERNAME",
  SIMILAR_TARGETS = "SIMILAR_TARGETS",
  LONG_RINGING = "LONG_RINGING",
  OUTSIDE_NEWER_RANGE = "OUTSIDE_NEWER_RANGE",
  VIDEO_UNAVAILABLE = "VIDEO_UNAVAILABLE",
}

registerEnumType(ConnectActionWarningCode, {
  name: "ConnectActionWarningCode",
  description: "Machine-readable codes of discouraged input.",
  valuesConfig: {
    SIP_URI_AS_USERNAME: {
      description:
        "A target looks like a SIP URI, such as `sip:alice@sbc.example`, or contains `@`. PIOPIY rings a SIP endpoint by its " +
        "username. The message states the username to use. If PIOPIY has a SIP endpoint with exactly this name, ignore the hint.",
    },
    SIMILAR_TARGETS: { description: "Two usernames differ only in upper and lower case." },
    LONG_RINGING: {
      description:
        "The targets may ring for more than 120 seconds in total. Few callers wait longer than that.",
    },
    OUTSIDE_NEWER_RANGE: {
      description:
        "PIOPIY may reject the value: PIOPIY's newer API accepts only 5 to 120 seconds for `timeout`, and 10 to 7200 seconds for `duration`. PIOPIY's documentation of the API that this gateway uses has no ranges.",
    },
    VIDEO_UNAVAILABLE: {
      description: "The target of a video call does not support video. Reported only if `verify` is true.",
    },
  },
});

@ObjectType({
  description:
    "A hint about input that is valid but may not have the intended effect. The document is built nevertheless.",
})
class ConnectActionWarning {
  @Field(() => ConnectActionWarningCode, { description: "Machine-readable code of the hint." })
  code: ConnectActionWarningCode;

  @Field(() => String, { description: "Human-readable description of the hint, in English." })
  message: string;

  @Field(() => [String], { description: INPUT_PATH_DESCRIPTION })
  path: readonly string[];

  constructor(code: `${ConnectActionWarningCode}`, message: string, path: readonly string[]) {
    this.code = ConnectActionWarningCode[code];
    this.message = message;
    this.path = path;
  }
}

@ObjectType({ description: "Result of `connectAction`: a PCMO document, or the problems in the input." })
class ConnectActionResult {
  @Field(() => Pcmo, {
    nullable: true,
    description:
      "The PCMO document. Return it from your own web server, or let the gateway return it: see `answerUrl`. Null if the input is invalid.",
  })
  pcmo?: unknown;

  @Field(() => String, {
    nullable: true,
    description:
      "Description of the document in one English sentence. Null if the input is invalid. " +
      'Example: "Rings alice for 40 seconds; the conversation can last up to 1 hour 30 minutes.".',
  })
  summary?: string;

  @Field(() => [ConnectActionWarning], {
    description:
      "Hints about input that is valid but may not have the intended effect. Empty if there are none.",
  })
  warnings!: readonly ConnectActionWarning[];

  @Field(() => [SipUserError], { description: USER_ERRORS_DESCRIPTION })
  userErrors!: readonly SipUserError[];

  /** The specification for `answerUrl`. Undefined if the input is invalid, or if the document is too long for an answer URL. */
  specification?: ConnectActionSpecification | undefined;
}

/** Ten years. */
const MAX_EXPIRY_SECONDS = 315_360_000;

/** Builds PCMO documents that ring SIP endpoints. */
@Resolver(() => ConnectActionResult)
export class ConnectActionResolver {
  @RequiresScope("sip:read")
  @Query(() => ConnectActionResult, {
    nullable: true,
    description:
      "Builds the PCMO document that rings SIP endpoints when someone calls your PIOPIY number. The gateway does not store the " +
      "document.\n\n" +
      "Costs no upstream request. With `verify: true`, costs one upstream request per target. Requires the scope `sip:read`.",
  })
  async connectAction(
    @Arg("input", () => ConnectActionInput, { description: "The targets to ring, and how to ring them." })
    input: ConnectActionInput,
    @Arg("verify", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description:
        "Whether to check that PIOPIY has every target, and that every target of a video call supports video. Costs one " +
        "upstream request per target.",
    })
    verify: boolean | null,
    @Ctx() { answerUrls, pcmoTargetsKey, piopiy }: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ConnectActionResult> {
    const problems = connectActionProblems(input);
    const verified = verify ? await verifyTargets(input, problems, piopiy) : { missing: [], warnings: [] };
    const allProblems = [...problems, ...verified.missing];
    const userErrors = allProblems.map(({ code, message, path }) => new SipUserError(code, message, path));
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
      "An answer URL that returns this document. Set it as the answer URL of your PIOPIY number in PIOPIY's console: when " +
      "someone calls the number, PIOPIY requests the document from the gateway. You need no web server.\n\n" +
      "The URL contains the document and a signature. The gateway stores nothing, and rejects an altered URL.\n\n" +
      "Null if the input is invalid, or if the document is too long for a URL. If it is too long, `userErrors` contains " +
      "`ANSWER_URL_TOO_LONG`. If the gateway has no public address, the field is null and the error is `NOT_CONFIGURED`.",
  })
  answerUrl(
    @Root() { specification }: ConnectActionResult,
    @Arg("expiresIn", () => Int, {
      nullable: true,
      description:
        "Seconds until the URL expires, 1 to 315360000 (ten years). If omitted, the URL does not expire. Example: 3600.",
    })
    expiresIn: number | null,
    @Ctx() context: Context,
  ): string | null {
    const { answerUrls } = context;
    context.noStore();
    if (expiresIn != null && (expiresIn < 1 || expiresIn > MAX_EXPIRY_SECONDS)) {
      throw argumentError(
        "expiresIn",
        `must be between 1 and ${MAX_EXPIRY_SECONDS} seconds (got ${expiresIn})`,
      );
    }
    if (!answerUrls) {
      throw new GatewayError(
        "NOT_CONFIGURED",
        "Answer URLs are not configured. The operator of the gateway must set PUBLIC_URL and ANSWER_URL_SECRET.",
      );
    }
    return specification ? answerUrls.create(specification, expiresIn) : null;
  }
}

/** A target that PIOPIY does not have. */
interface MissingTarget {
  readonly code: "SIP_ENDPOINT_NOT_FOUND";
  readonly message: string;
  readonly path: readonly string[];
}

/** Reads every valid target, in parallel. Returns problems for missing targets, and warnings for targets without video. */
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
      const advice = sipUriAdvice(user);
      // A URI may contain a password.
      const message = `PIOPIY has no SIP endpoint ${advice ? `with this username. ${advice}` : `${name}.`}`;
      missing.push({ code: "SIP_ENDPOINT_NOT_FOUND", message, path });
    } else if (callType === "VIDEO" && record.video === false) {
      warnings.push({
        code: "VIDEO_UNAVAILABLE",
        message: `The SIP endpoint ${name} does not support video.`,
        path,
      });
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

function tooLongError(): SipUserError {
  return new SipUserError(
    "ANSWER_URL_TOO_LONG",
    "The document is too long for an answer URL of 4000 characters. Use fewer targets, or return `pcmo` from your own web server.",
    ["call"],
  );
}

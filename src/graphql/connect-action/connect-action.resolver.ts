import { collectSubFields } from "@graphql-tools/utils";
import { type GraphQLResolveInfo, getNamedType, isObjectType } from "graphql";
import { Arg, Ctx, FieldResolver, Info, Int, Query, Resolver, Root } from "type-graphql";
import { GatewayError } from "../../errors.js";
import {
  buildConnectAction,
  connectActionProblems,
  connectActionWarnings,
} from "../../pcmo/connect-action.js";
import { describeAction } from "../../pcmo/describe.js";
import type { Context } from "../context.js";
import { RequiresScope } from "../scopes.js";
import { UserError } from "../user-error.js";
import { ConnectActionInput } from "./connect-action.input.js";
import { ConnectActionResult, ConnectActionWarning } from "./connect-action-result.type.js";
import { verifyTargets } from "./verify-targets.js";

/** Ten years. */
const LONGEST_EXPIRY = 315_360_000;

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
    const found = verify ? await verifyTargets(input, problems, piopiy) : { missing: [], warnings: [] };
    const mistakes = [...problems, ...found.missing];
    const userErrors = mistakes.map(({ code, message, path }) => new UserError(code, message, path));
    if (userErrors.length > 0) return { userErrors, warnings: [] };
    const warnings = [...connectActionWarnings(input), ...found.warnings];
    const fits = answerUrls?.fits(input) ?? true;
    if (!fits && asksForAnswerUrl(info)) userErrors.push(tooLong());
    const pcmo = buildConnectAction(input, pcmoTargetsKey);
    return {
      pcmo,
      summary: describeAction(pcmo[0]),
      warnings: warnings.map(({ code, message, path }) => new ConnectActionWarning(code, message, path)),
      userErrors,
      forAnswerUrl: fits ? input : undefined,
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
    @Root() { forAnswerUrl }: ConnectActionResult,
    @Arg("expiresIn", () => Int, {
      nullable: true,
      description: "For how many seconds it holds, 1 to 315360000 (ten years). Left out, it does not expire.",
    })
    expiresIn: number | null,
    @Ctx() context: Context,
  ): string | null {
    const { answerUrls } = context;
    context.noStore();
    if (expiresIn != null && (expiresIn < 1 || expiresIn > LONGEST_EXPIRY)) {
      const message = `\`expiresIn\` must be 1 to ${LONGEST_EXPIRY} seconds; it is ${expiresIn}.`;
      throw new GatewayError("BAD_USER_INPUT", message, { argumentName: "expiresIn" });
    }
    if (!answerUrls) {
      throw new GatewayError(
        "NOT_CONFIGURED",
        "This gateway makes no answer URLs: its operator must set PUBLIC_URL and ANSWER_URL_SECRET.",
      );
    }
    return forAnswerUrl ? answerUrls.make(forAnswerUrl, expiresIn) : null;
  }
}

function asksForAnswerUrl({
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

function tooLong(): UserError {
  return new UserError(
    "ANSWER_URL_TOO_LONG",
    "This document is too long for an address of 4000 characters. Name fewer targets, or answer the webhook with `pcmo` yourself.",
    ["call"],
  );
}

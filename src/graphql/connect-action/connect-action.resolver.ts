import { Arg, Ctx, Query, Resolver } from "type-graphql";
import type { Context } from "../../context.js";
import { connectActionProblems, writeConnectAction } from "../../pcmo/connect-action.js";
import { RequiresScope } from "../requires-scope.js";
import { UserError } from "../user-error.type.js";
import { ConnectActionInput } from "./connect-action.input.js";
import { ConnectActionResult } from "./connect-action-result.type.js";

/** PCMO documents that ring SIP endpoints. Nothing is asked upstream. */
@Resolver()
export class ConnectActionResolver {
  @RequiresScope("sip:read")
  @Query(() => ConnectActionResult, {
    description:
      "Writes the PCMO document that connects an incoming call to SIP endpoints: what an answer URL gives to PIOPIY. " +
      "Whether the endpoints exist is not asked.",
  })
  connectAction(
    @Arg("input", () => ConnectActionInput, { description: "Who rings, how, and for how long." })
    input: ConnectActionInput,
    @Ctx() { pcmoTargetsKey }: Context,
  ): ConnectActionResult {
    const userErrors = connectActionProblems(input).map(
      ({ code, message, path }) => new UserError(code, message, path),
    );
    return userErrors.length > 0
      ? { userErrors }
      : { pcmo: writeConnectAction(input, pcmoTargetsKey), userErrors };
  }
}

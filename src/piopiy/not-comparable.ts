import { GatewayError } from "../errors.js";

/** Says what becomes of the generated password of an endpoint whose creation may have succeeded. */
export function withAdvice(error: unknown, hasKey: boolean): unknown {
  if (!(error instanceof GatewayError) || error.code !== "OUTCOME_UNKNOWN") return error;
  const advice = hasKey
    ? "With the same `idempotencyKey` it returns the same generated password."
    : "The generated password is lost if the endpoint was created: updateSipEndpoint sets another one. An `idempotencyKey` avoids this.";
  return new GatewayError("OUTCOME_UNKNOWN", `${error.message} ${advice}`);
}

/** The error of a creation that cannot be told from another one, since PIOPIY shows no password. */
export function notComparable(): GatewayError {
  return new GatewayError(
    "OUTCOME_UNKNOWN",
    "PIOPIY has an endpoint of this name and shows no password to compare with, so it may have been created with this " +
      "`idempotencyKey`, or by somebody else. If it is yours, updateSipEndpoint sets a password.",
  );
}

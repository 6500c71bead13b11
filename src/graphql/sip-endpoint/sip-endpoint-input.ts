import { Field, InputType } from "type-graphql";
import { formatValue } from "../../format-value.js";
import type { NewEndpoint } from "../../piopiy/loader.js";
import { Secret } from "../../secret.js";
import { isPassword, PASSWORD_RULE } from "../../sip/password.js";
import { isNewUsername, isUsername, NEW_USERNAME_RULE, USERNAME_RULE } from "../../sip/username.js";
import { ID } from "../scalars.js";
import { SipUserError } from "../user-error.js";

/** The rule for passwords, for descriptions. */
export const PASSWORD_DESCRIPTION = "1 to 128 characters, no control characters, no space at either end";

type Path = readonly string[];

/** The fields that each input for a new endpoint has. */
@InputType()
export abstract class NewSipEndpointInput {
  @Field(() => ID, {
    description:
      "Username of the new SIP endpoint, case-sensitive and not yet in use. It must have 1 to 64 characters of A-Z, a-z, 0-9, dot, " +
      'underscore and hyphen, and start with a letter or a digit. Example: "alice".',
  })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description:
      `Password with which the endpoint registers: ${PASSWORD_DESCRIPTION}. If omitted, the gateway generates a strong password of ` +
      "22 letters and digits.",
  })
  password?: string | null;
}

/** Returns the password of an input, or null if the gateway is to generate one. */
export function givenPassword({ password = null }: NewSipEndpointInput): Secret | null {
  return password === null ? null : new Secret(password);
}

/**
 * Returns the problems of a new endpoint.
 *
 * @param at the path of the endpoint in the input
 */
export function newEndpointErrors(username: string, password: Secret | null, at: Path = []): SipUserError[] {
  const errors: SipUserError[] = [];
  if (!isNewUsername(username)) {
    const message = `A new username ${NEW_USERNAME_RULE}.`;
    errors.push(new SipUserError("INVALID_USERNAME", message, [...at, "username"]));
  }
  if (!password) return errors;
  return [...errors, ...passwordErrors(password, [...at, "password"], "Omit it to have one generated.")];
}

/** Returns the problems of the username of an existing endpoint. */
export function usernameErrors(username: string, path: Path = ["username"]): SipUserError[] {
  if (isUsername(username)) return [];
  return [new SipUserError("INVALID_USERNAME", `A username ${USERNAME_RULE}.`, path)];
}

/** @param advice how to get a valid password */
export function passwordErrors(password: Secret, path: Path, advice: string): SipUserError[] {
  if (isPassword(password)) return [];
  const message = `A password ${PASSWORD_RULE}. ${advice}`;
  return [new SipUserError("INVALID_PASSWORD", message, path)];
}

/** Returns the problems of an idempotency key. */
export function idempotencyKeyErrors(key: string | null): SipUserError[] {
  if (key === null || /^[\x21-\x7e]{8,128}$/.test(key)) return [];
  const message =
    "An idempotency key must have 8 to 128 visible ASCII characters and no spaces. Use a random one, such as a UUID, for each new input.";
  return [new SipUserError("INVALID_IDEMPOTENCY_KEY", message, ["idempotencyKey"])];
}

/** Returns the error for a new endpoint whose username is in use. With an idempotency key, the passwords have been compared. */
export function usernameTakenError(
  { username, password, key }: Pick<NewEndpoint, "username" | "password" | "key">,
  path: Path = ["username"],
): SipUserError {
  const reason = !key
    ? ""
    : password
      ? " with another password"
      : " and was not created with this `idempotencyKey`, or its password was changed";
  const advice = password
    ? "Choose another username, or set the password with `updateSipEndpoint`."
    : "Choose another username.";
  const message = `The SIP endpoint ${formatValue(username)} already exists${reason}. ${advice}`;
  return new SipUserError("USERNAME_TAKEN", message, path);
}

/** Returns the error for an endpoint that PIOPIY does not have. */
export function notFoundError(username: string, path: Path = ["username"]): SipUserError {
  const message = `PIOPIY has no SIP endpoint ${formatValue(username)}.`;
  return new SipUserError("SIP_ENDPOINT_NOT_FOUND", message, path);
}

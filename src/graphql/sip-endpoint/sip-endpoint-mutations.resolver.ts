import { Arg, Ctx, Mutation, Resolver } from "type-graphql";
import type { Context } from "../../context.js";
import { showValue } from "../../pcmo/show-value.js";
import { isUsername, USERNAME_RULE } from "../../pcmo/sip-user.js";
import { isNewUsername } from "../../piopiy/new-username.js";
import { isPassword } from "../../piopiy/password.js";
import { Secret } from "../../secret.js";
import { RequiresScope } from "../requires-scope.js";
import { UserError } from "../user-error.type.js";
import { CreateSipEndpointInput } from "./create-sip-endpoint.input.js";
import { CreateSipEndpointPayload } from "./create-sip-endpoint.payload.js";
import { RemoveSipEndpointInput } from "./remove-sip-endpoint.input.js";
import { RemoveSipEndpointPayload } from "./remove-sip-endpoint.payload.js";
import { SipEndpoint } from "./sip-endpoint.type.js";
import { UpdateSipEndpointInput } from "./update-sip-endpoint.input.js";
import { UpdateSipEndpointPayload } from "./update-sip-endpoint.payload.js";

/** What changes endpoints. Mistakes in an input are answered, all at once, before PIOPIY is asked. */
@Resolver()
export class SipEndpointMutationsResolver {
  @RequiresScope("sip:write")
  @Mutation(() => CreateSipEndpointPayload, {
    description:
      "Creates a SIP endpoint, and makes a password unless one is given. Costs one request to PIOPIY.",
  })
  async createSipEndpoint(
    @Arg("input", () => CreateSipEndpointInput, {
      description: "The name, and the password if it is not to be made.",
    })
    { username, password: given = null, idempotencyKey = null }: CreateSipEndpointInput,
    @Ctx() { caller, piopiy }: Context,
  ): Promise<CreateSipEndpointPayload> {
    const password = given === null ? null : new Secret(given);
    const userErrors = [
      ...newUsernameErrors(username),
      ...passwordErrors(password),
      ...idempotencyKeyErrors(idempotencyKey),
    ];
    if (userErrors.length > 0) return new CreateSipEndpointPayload(userErrors);
    const key = idempotencyKey === null ? null : [caller.name, idempotencyKey];
    const created = await piopiy.create({ username, password, key });
    if (!created) return new CreateSipEndpointPayload([usernameTaken(username)]);
    return new CreateSipEndpointPayload([], new SipEndpoint(created.username, created.password));
  }

  @RequiresScope("sip:write")
  @Mutation(() => UpdateSipEndpointPayload, {
    description:
      "Gives a SIP endpoint a new password, and makes one unless it is given. A softphone that is registered may stay so until " +
      "its registration expires. Costs one request to PIOPIY.",
  })
  async updateSipEndpoint(
    @Arg("input", () => UpdateSipEndpointInput, {
      description: "The name, and the password if it is not to be made.",
    })
    { username, password: given = null }: UpdateSipEndpointInput,
    @Ctx() { piopiy }: Context,
  ): Promise<UpdateSipEndpointPayload> {
    const password = given === null ? null : new Secret(given);
    const userErrors = [...usernameErrors(username), ...passwordErrors(password)];
    if (userErrors.length > 0) return new UpdateSipEndpointPayload(userErrors);
    const updated = await piopiy.update({ username, password });
    if (!updated) return new UpdateSipEndpointPayload([notFound(username)]);
    return new UpdateSipEndpointPayload([], new SipEndpoint(updated.username, updated.password));
  }

  @RequiresScope("sip:write")
  @Mutation(() => RemoveSipEndpointPayload, {
    description: "Removes a SIP endpoint for good; its name is free again. Costs one request to PIOPIY.",
  })
  async removeSipEndpoint(
    @Arg("input", () => RemoveSipEndpointInput, { description: "The name." }) {
      username,
    }: RemoveSipEndpointInput,
    @Ctx() { piopiy }: Context,
  ): Promise<RemoveSipEndpointPayload> {
    const userErrors = usernameErrors(username);
    if (userErrors.length > 0) return { userErrors };
    const removed = await piopiy.remove(username);
    return removed ? { username: removed.username, userErrors } : { userErrors: [notFound(username)] };
  }
}

function newUsernameErrors(username: string): UserError[] {
  if (isNewUsername(username)) return [];
  const message =
    "A new username must have 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen, and begin with a letter or digit.";
  return [new UserError("INVALID_USERNAME", message, ["username"])];
}

function usernameErrors(username: string): UserError[] {
  if (isUsername(username)) return [];
  return [new UserError("INVALID_USERNAME", `A username ${USERNAME_RULE}.`, ["username"])];
}

function passwordErrors(password: Secret | null): UserError[] {
  if (password === null || isPassword(password)) return [];
  const message =
    "A password must have 1 to 128 characters, no control characters and no space at either end. Leave it out to have one made.";
  return [new UserError("INVALID_PASSWORD", message, ["password"])];
}

function idempotencyKeyErrors(key: string | null): UserError[] {
  if (key === null || /^[\x21-\x7e]{8,128}$/.test(key)) return [];
  const message =
    "An idempotency key must have 8 to 128 visible ASCII characters and no space. Use a random one, such as a UUID, for each new endpoint.";
  return [new UserError("INVALID_IDEMPOTENCY_KEY", message, ["idempotencyKey"])];
}

function usernameTaken(username: string): UserError {
  return new UserError("USERNAME_TAKEN", `There is a SIP endpoint ${showValue(username)} already.`, [
    "username",
  ]);
}

function notFound(username: string): UserError {
  return new UserError("SIP_ENDPOINT_NOT_FOUND", `PIOPIY has no SIP endpoint ${showValue(username)}.`, [
    "username",
  ]);
}

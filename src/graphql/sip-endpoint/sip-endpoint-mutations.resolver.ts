import { Arg, Ctx, Directive, Field, InputType, Mutation, ObjectType, Resolver } from "type-graphql";
import { formatValue } from "../../format-value.js";
import { Secret } from "../../secret.js";
import { isPassword } from "../../sip/password.js";
import { isNewUsername, isUsername, USERNAME_RULE } from "../../sip/username.js";
import type { Context } from "../context.js";
import { ID } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { USER_ERRORS_DESCRIPTION, UserError } from "../user-error.js";
import { DETAIL_NAMES, SipEndpoint, USERNAME_DESCRIPTION } from "./sip-endpoint.type.js";

const PASSWORD_RULE = "1 to 128 characters, no control characters, no space at either end";
const PASSWORD_OMITTED = "If omitted, the gateway generates a strong password of 22 letters and digits.";
const PASSWORD_DESCRIPTION =
  "The password that was set: from the input, or generated. Null if `userErrors` is not empty.";

@InputType({ description: "The SIP endpoint to create." })
class CreateSipEndpointInput {
  @Field(() => ID, {
    description:
      "Username of the new SIP endpoint, case-sensitive and not yet in use. It must have 1 to 64 characters of A-Z, a-z, 0-9, dot, " +
      'underscore and hyphen, and start with a letter or a digit. Example: "alice".',
  })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description: `Password with which the endpoint registers: ${PASSWORD_RULE}. ${PASSWORD_OMITTED}`,
  })
  password?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Key that makes it safe to repeat the mutation, for example after `OUTCOME_UNKNOWN`. 8 to 128 visible ASCII characters, no " +
      'spaces. Use a new random value for each new endpoint, such as a UUID. Example: "0b2c6f9e-1f43-4c0e-9d55-7a3e8f21c6d4".\n\n' +
      "If the same client repeats an input with the same key, and an earlier attempt created the endpoint, the mutation " +
      "succeeds again and returns the same password. Without a key, the repeated mutation returns `USERNAME_TAKEN`.",
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: "Result of `createSipEndpoint`." })
class CreateSipEndpointPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The created SIP endpoint. Null if `userErrors` is not empty.",
  })
  readonly sipEndpoint: SipEndpoint | undefined;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: PASSWORD_DESCRIPTION,
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }

  @Field(() => [UserError], { description: USER_ERRORS_DESCRIPTION })
  readonly userErrors: UserError[];

  constructor(userErrors: UserError[], sipEndpoint?: SipEndpoint) {
    this.userErrors = userErrors;
    this.sipEndpoint = sipEndpoint;
  }
}

@InputType({ description: "A new password for a SIP endpoint. PIOPIY does not support other changes." })
class UpdateSipEndpointInput {
  @Field(() => ID, { description: USERNAME_DESCRIPTION })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description: `The new password: ${PASSWORD_RULE}. ${PASSWORD_OMITTED}`,
  })
  password?: string | null;
}

@ObjectType({ description: "Result of `updateSipEndpoint`." })
class UpdateSipEndpointPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The SIP endpoint with its new password. Null if `userErrors` is not empty.",
  })
  readonly sipEndpoint: SipEndpoint | undefined;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: PASSWORD_DESCRIPTION,
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }

  @Field(() => [UserError], { description: USER_ERRORS_DESCRIPTION })
  readonly userErrors: UserError[];

  constructor(userErrors: UserError[], sipEndpoint?: SipEndpoint) {
    this.userErrors = userErrors;
    this.sipEndpoint = sipEndpoint;
  }
}

@InputType({ description: "The SIP endpoint to remove." })
class RemoveSipEndpointInput {
  @Field(() => ID, { description: USERNAME_DESCRIPTION })
  username!: string;
}

@ObjectType({ description: "Result of `removeSipEndpoint`." })
class RemoveSipEndpointPayload {
  @Field(() => ID, {
    nullable: true,
    description: "Username of the removed SIP endpoint. Null if `userErrors` is not empty.",
  })
  username?: string;

  @Field(() => [UserError], { description: USER_ERRORS_DESCRIPTION })
  userErrors!: UserError[];
}

/** Creates, updates and removes endpoints. Reports all problems of an input together, before any upstream request. */
@Resolver()
export class SipEndpointMutationsResolver {
  @RequiresScope("sip:write")
  @Mutation(() => CreateSipEndpointPayload, {
    description:
      "Creates a SIP endpoint, with the password of the input or a generated password.\n\n" +
      "Costs one upstream request. Requires the scope `sip:write`.",
  })
  async createSipEndpoint(
    @Arg("input", () => CreateSipEndpointInput, { description: "The SIP endpoint to create." })
    { username, password: passwordText = null, idempotencyKey = null }: CreateSipEndpointInput,
    @Ctx() { client, piopiy }: Context,
  ): Promise<CreateSipEndpointPayload> {
    const password = passwordText === null ? null : new Secret(passwordText);
    const userErrors = [
      ...newUsernameErrors(username),
      ...passwordErrors(password),
      ...idempotencyKeyErrors(idempotencyKey),
    ];
    if (userErrors.length > 0) return new CreateSipEndpointPayload(userErrors);
    const key = idempotencyKey === null ? null : [client.name, idempotencyKey];
    const created = await piopiy.create({ username, password, key });
    if (!created) return new CreateSipEndpointPayload([usernameTakenError(username)]);
    return new CreateSipEndpointPayload([], new SipEndpoint(created.username, created.password));
  }

  @RequiresScope("sip:write")
  @Mutation(() => UpdateSipEndpointPayload, {
    description:
      "Changes the password of a SIP endpoint to the password of the input or a generated password. A softphone that has registered " +
      "with the old password may stay registered until its registration expires.\n\n" +
      `Costs one upstream request, and a second one if the payload selects ${DETAIL_NAMES}. ` +
      "Requires the scope `sip:write`.",
  })
  async updateSipEndpoint(
    @Arg("input", () => UpdateSipEndpointInput, {
      description: "The username of the SIP endpoint, and its new password.",
    })
    { username, password: passwordText = null }: UpdateSipEndpointInput,
    @Ctx() { piopiy }: Context,
  ): Promise<UpdateSipEndpointPayload> {
    const password = passwordText === null ? null : new Secret(passwordText);
    const userErrors = [...usernameErrors(username), ...passwordErrors(password)];
    if (userErrors.length > 0) return new UpdateSipEndpointPayload(userErrors);
    const updated = await piopiy.update({ username, password });
    if (!updated) return new UpdateSipEndpointPayload([notFoundError(username)]);
    return new UpdateSipEndpointPayload([], new SipEndpoint(updated.username, updated.password));
  }

  @RequiresScope("sip:write")
  @Mutation(() => RemoveSipEndpointPayload, {
    description:
      "Removes a SIP endpoint permanently. Its username can be used for a new endpoint.\n\n" +
      "Costs one upstream request. Requires the scope `sip:write`.",
  })
  async removeSipEndpoint(
    @Arg("input", () => RemoveSipEndpointInput, { description: "The SIP endpoint to remove." }) {
      username,
    }: RemoveSipEndpointInput,
    @Ctx() { piopiy }: Context,
  ): Promise<RemoveSipEndpointPayload> {
    const userErrors = usernameErrors(username);
    if (userErrors.length > 0) return { userErrors };
    const removed = await piopiy.remove(username);
    return removed ? { username: removed.username, userErrors } : { userErrors: [notFoundError(username)] };
  }
}

function newUsernameErrors(username: string): UserError[] {
  if (isNewUsername(username)) return [];
  const message =
    "A new username must have 1 to 64 characters of A-Z, a-z, 0-9, dot, underscore and hyphen. The first must be a letter or a digit.";
  return [new UserError("INVALID_USERNAME", message, ["username"])];
}

function usernameErrors(username: string): UserError[] {
  if (isUsername(username)) return [];
  return [new UserError("INVALID_USERNAME", `A username ${USERNAME_RULE}.`, ["username"])];
}

function passwordErrors(password: Secret | null): UserError[] {
  if (password === null || isPassword(password)) return [];
  const message =
    "A password must have 1 to 128 characters, no control characters and no space at either end. Omit it to have one generated.";
  return [new UserError("INVALID_PASSWORD", message, ["password"])];
}

function idempotencyKeyErrors(key: string | null): UserError[] {
  if (key === null || /^[\x21-\x7e]{8,128}$/.test(key)) return [];
  const message =
    "An idempotency key must have 8 to 128 visible ASCII characters and no spaces. Use a random one, such as a UUID, for each new endpoint.";
  return [new UserError("INVALID_IDEMPOTENCY_KEY", message, ["idempotencyKey"])];
}

function usernameTakenError(username: string): UserError {
  return new UserError(
    "USERNAME_TAKEN",
    `The SIP endpoint ${formatValue(username)} already exists. Choose another username.`,
    ["username"],
  );
}

function notFoundError(username: string): UserError {
  return new UserError("SIP_ENDPOINT_NOT_FOUND", `PIOPIY has no SIP endpoint ${formatValue(username)}.`, [
    "username",
  ]);
}

import { Arg, Ctx, Directive, Field, InputType, Mutation, ObjectType, Resolver } from "type-graphql";
import { formatValue } from "../../format-value.js";
import { Secret } from "../../secret.js";
import { isPassword } from "../../sip/password.js";
import { isNewUsername, isUsername, USERNAME_RULE } from "../../sip/username.js";
import type { Context } from "../context.js";
import { ID } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { UserError } from "../user-error.js";
import { SipEndpoint } from "./sip-endpoint.type.js";

@InputType({ description: "The SIP endpoint that is to be made." })
class CreateSipEndpointInput {
  @Field(() => ID, {
    description:
      'A name that is not in use, 1 to 64 of A-Z, a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit. Example: "alice".',
  })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "The password it will register with, 1 to 128 characters, no control characters, no space at either end. " +
      "Left out, a strong one of 22 letters and digits is made.",
  })
  password?: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Makes repeating safe: 8 to 128 visible ASCII characters, a random one such as a UUID for each new endpoint. When the same " +
      "caller sends the input again with the same key, for instance after OUTCOME_UNKNOWN, an endpoint that the first attempt made is " +
      "answered as if it were made now, with the same password, instead of USERNAME_TAKEN.",
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: "What became of a creation." })
class CreateSipEndpointPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The new endpoint; null when the input had mistakes.",
  })
  readonly sipEndpoint: SipEndpoint | undefined;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: "The password that was set, given or made; null when the input had mistakes.",
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  readonly userErrors: UserError[];

  constructor(userErrors: UserError[], sipEndpoint?: SipEndpoint) {
    this.userErrors = userErrors;
    this.sipEndpoint = sipEndpoint;
  }
}

@InputType({ description: "A new password for a SIP endpoint. PIOPIY lets nothing else be changed." })
class UpdateSipEndpointInput {
  @Field(() => ID, {
    description: "The name of an existing endpoint, at most 256 bytes, without control characters.",
  })
  username!: string;

  @Field(() => String, {
    nullable: true,
    description:
      "The new password, 1 to 128 characters, no control characters, no space at either end. " +
      "Left out, a strong one of 22 letters and digits is made.",
  })
  password?: string | null;
}

@ObjectType({ description: "What became of a change of password." })
class UpdateSipEndpointPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The endpoint with its new password; null when the input had mistakes.",
  })
  readonly sipEndpoint: SipEndpoint | undefined;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: "The password that was set, given or made; null when the input had mistakes.",
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  readonly userErrors: UserError[];

  constructor(userErrors: UserError[], sipEndpoint?: SipEndpoint) {
    this.userErrors = userErrors;
    this.sipEndpoint = sipEndpoint;
  }
}

@InputType({ description: "The SIP endpoint that is to be removed." })
class RemoveSipEndpointInput {
  @Field(() => ID, {
    description: "The name of an existing endpoint, at most 256 bytes, without control characters.",
  })
  username!: string;
}

@ObjectType({ description: "What became of a removal." })
class RemoveSipEndpointPayload {
  @Field(() => ID, {
    nullable: true,
    description: "The name that was removed; null when the input had mistakes.",
  })
  username?: string;

  @Field(() => [UserError], { description: "The mistakes in the input; empty when all went well." })
  userErrors!: UserError[];
}

/** Creates, updates and removes endpoints. All mistakes of an input are returned at once, before a request to PIOPIY. */
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
      "Gives a SIP endpoint a new password, and makes one unless it is given. A softphone that is registered may stay so until " +
      "its registration expires. Costs one request to PIOPIY.",
  })
  async updateSipEndpoint(
    @Arg("input", () => UpdateSipEndpointInput, {
      description: "The name, and the password if it is not to be made.",
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
    return removed ? { username: removed.username, userErrors } : { userErrors: [notFoundError(username)] };
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

function usernameTakenError(username: string): UserError {
  return new UserError("USERNAME_TAKEN", `There is a SIP endpoint ${formatValue(username)} already.`, [
    "username",
  ]);
}

function notFoundError(username: string): UserError {
  return new UserError("SIP_ENDPOINT_NOT_FOUND", `PIOPIY has no SIP endpoint ${formatValue(username)}.`, [
    "username",
  ]);
}

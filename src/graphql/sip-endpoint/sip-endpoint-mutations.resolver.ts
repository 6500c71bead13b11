import { Arg, Ctx, Directive, Field, InputType, Mutation, ObjectType, Resolver } from "type-graphql";
import type { Credentials } from "../../piopiy/protocol.js";
import { Secret } from "../../secret.js";
import { generatePassword } from "../../sip/password.js";
import type { Context } from "../context.js";
import { ID } from "../scalars.js";
import { accessEndpoint, RequiresScope } from "../scopes.js";
import { SipUserError, USER_ERRORS_DESCRIPTION } from "../user-error.js";
import { DETAIL_NAMES, SipEndpoint, USERNAME_DESCRIPTION } from "./sip-endpoint.type.js";
import {
  givenPassword,
  idempotencyKeyErrors,
  NewSipEndpointInput,
  newEndpointErrors,
  notFoundError,
  PASSWORD_DESCRIPTION,
  passwordErrors,
  usernameErrors,
  usernameTakenError,
} from "./sip-endpoint-input.js";

const OLD_REGISTRATION =
  "A softphone that has registered with the old password may stay registered until its registration expires.";
const PASSWORD_COST = `Costs one upstream request, and a second one if the payload selects ${DETAIL_NAMES}.`;

@InputType({ description: "The SIP endpoint to create." })
class CreateSipEndpointInput extends NewSipEndpointInput {
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

/** The result of a mutation that sets a password. */
@ObjectType()
abstract class PasswordPayload {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The SIP endpoint with its new password. Null if `userErrors` is not empty.",
  })
  readonly sipEndpoint: SipEndpoint | undefined;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: "The password that was set. Null if `userErrors` is not empty.",
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }

  @Field(() => [SipUserError], { description: USER_ERRORS_DESCRIPTION })
  readonly userErrors: readonly SipUserError[];

  constructor(userErrors: readonly SipUserError[], credentials?: Credentials) {
    this.userErrors = userErrors;
    this.sipEndpoint = credentials && new SipEndpoint(credentials.username, credentials.password);
  }
}

@ObjectType({ description: "Result of `createSipEndpoint`." })
class CreateSipEndpointPayload extends PasswordPayload {}

@InputType({ description: "A new password for a SIP endpoint. PIOPIY does not support other changes." })
class UpdateSipEndpointInput {
  @Field(() => ID, { description: USERNAME_DESCRIPTION })
  username!: string;

  @Field(() => String, { description: `The new password: ${PASSWORD_DESCRIPTION}.` })
  password!: string;
}

@ObjectType({ description: "Result of `updateSipEndpoint`." })
class UpdateSipEndpointPayload extends PasswordPayload {}

@InputType({ description: "The SIP endpoint whose password to replace." })
class RotateSipEndpointPasswordInput {
  @Field(() => ID, { description: USERNAME_DESCRIPTION })
  username!: string;
}

@ObjectType({ description: "Result of `rotateSipEndpointPassword`." })
class RotateSipEndpointPasswordPayload extends PasswordPayload {}

@InputType({ description: "The SIP endpoint to remove." })
class RemoveSipEndpointInput {
  @Field(() => ID, { description: USERNAME_DESCRIPTION })
  username!: string;
}

@ObjectType({ description: "Result of `removeSipEndpoint`." })
class RemoveSipEndpointPayload {
  @Field(() => ID, {
    nullable: true,
    description:
      "Id of the removed SIP endpoint, which a client removes from its cache. Null if `userErrors` is not empty.",
  })
  removedId?: string;

  @Field(() => ID, {
    nullable: true,
    description: "Username of the removed SIP endpoint. Null if `userErrors` is not empty.",
  })
  username?: string;

  @Field(() => [SipUserError], { description: USER_ERRORS_DESCRIPTION })
  userErrors!: SipUserError[];
}

/** Creates, updates and removes endpoints. Reports all problems of an input together, before any upstream request. */
@Resolver()
export class SipEndpointMutationsResolver {
  @RequiresScope("sip:write")
  @Mutation(() => CreateSipEndpointPayload, {
    nullable: true,
    description:
      "Creates a SIP endpoint, with the password of the input or a generated password.\n\n" +
      "Costs one upstream request. Requires the scope `sip:write`.",
  })
  async createSipEndpoint(
    @Arg("input", () => CreateSipEndpointInput, { description: "The SIP endpoint to create." })
    { idempotencyKey = null, ...input }: CreateSipEndpointInput,
    @Ctx() { client, piopiy }: Context,
  ): Promise<CreateSipEndpointPayload> {
    const { username } = input;
    const password = givenPassword(input);
    const userErrors = [...newEndpointErrors(username, password), ...idempotencyKeyErrors(idempotencyKey)];
    if (userErrors.length > 0) return new CreateSipEndpointPayload(userErrors);
    const key = idempotencyKey === null ? null : [client.name, idempotencyKey];
    const created = await piopiy.create({ username, password, key });
    return created
      ? new CreateSipEndpointPayload([], created.credentials)
      : new CreateSipEndpointPayload([usernameTakenError({ username, password, key })]);
  }

  @RequiresScope("sip:write")
  @Mutation(() => UpdateSipEndpointPayload, {
    nullable: true,
    description:
      `Sets the password of a SIP endpoint to the password of the input. ${OLD_REGISTRATION}\n\n` +
      `${PASSWORD_COST} Requires the scope \`sip:write\`.`,
  })
  async updateSipEndpoint(
    @Arg("input", () => UpdateSipEndpointInput, {
      description: "The username of the SIP endpoint, and its new password.",
    })
    { username, password: passwordText }: UpdateSipEndpointInput,
    @Ctx() { piopiy }: Context,
  ): Promise<UpdateSipEndpointPayload> {
    const password = new Secret(passwordText);
    const userErrors = [
      ...usernameErrors(username),
      ...passwordErrors(password, ["password"], "To have one generated, use `rotateSipEndpointPassword`."),
    ];
    if (userErrors.length > 0) return new UpdateSipEndpointPayload(userErrors);
    const updated = await piopiy.update({ username, password });
    return updated
      ? new UpdateSipEndpointPayload([], updated)
      : new UpdateSipEndpointPayload([notFoundError(username)]);
  }

  @RequiresScope("sip:write", "sip:self")
  @Mutation(() => RotateSipEndpointPasswordPayload, {
    nullable: true,
    description:
      "Replaces the password of a SIP endpoint by a generated password of 22 letters and digits, and returns it. " +
      `${OLD_REGISTRATION}\n\n${PASSWORD_COST} Requires the scope \`sip:write\`, or \`sip:self\` for one's own SIP endpoint.`,
  })
  async rotateSipEndpointPassword(
    @Arg("input", () => RotateSipEndpointPasswordInput, {
      description: "The SIP endpoint whose password to replace.",
    })
    { username }: RotateSipEndpointPasswordInput,
    @Ctx() context: Context,
  ): Promise<RotateSipEndpointPasswordPayload> {
    return accessEndpoint(context, "Mutation.rotateSipEndpointPassword", "sip:write", username, async () => {
      const userErrors = usernameErrors(username);
      if (userErrors.length > 0) return new RotateSipEndpointPasswordPayload(userErrors);
      const updated = await context.piopiy.update({ username, password: generatePassword() });
      return updated
        ? new RotateSipEndpointPasswordPayload([], updated)
        : new RotateSipEndpointPasswordPayload([notFoundError(username)]);
    });
  }

  @RequiresScope("sip:write")
  @Mutation(() => RemoveSipEndpointPayload, {
    nullable: true,
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
    if (!removed) return { userErrors: [notFoundError(username)] };
    const { id } = new SipEndpoint(removed.username);
    return { removedId: id, username: removed.username, userErrors };
  }
}

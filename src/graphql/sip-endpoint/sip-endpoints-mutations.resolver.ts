import { Arg, Ctx, Directive, Field, InputType, Int, Mutation, ObjectType, Resolver } from "type-graphql";
import type { Context } from "../context.js";
import { MAX_ITEMS } from "../cost.js";
import { ID } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { executeItems, ItemResult, ItemsPayload, listErrors, withDuplicateErrors } from "./item-results.js";
import { SipEndpoint } from "./sip-endpoint.type.js";
import {
  givenPassword,
  idempotencyKeyErrors,
  NewSipEndpointInput,
  newEndpointErrors,
  notFoundError,
  usernameErrors,
  usernameTakenError,
} from "./sip-endpoint-input.js";

const CREATE = "Mutation.createSipEndpoints";
const REMOVE = "Mutation.removeSipEndpoints";
const COST =
  "Costs one upstream request per item. The items are executed in parallel, and have the time of one operation for every 50 of " +
  "them, rounded up. The results of items are independent of each other. Requires the scope `sip:write`.";
const DRY_RUN =
  "Whether to change nothing, and to return what would be done now. Bypasses the cache. If null, false.";
const SIMILAR_NAMES =
  "Usernames that differ only in upper and lower case are reported in `extensions.warnings` of the response: PIOPIY may treat them " +
  "as the same username.";

@InputType({ description: "A SIP endpoint to create." })
class CreateSipEndpointsItem extends NewSipEndpointInput {}

@InputType({ description: "The SIP endpoints to create." })
class CreateSipEndpointsInput {
  @Field(() => [CreateSipEndpointsItem], {
    description: `SIP endpoints to create: 1 to ${MAX_ITEMS}, each username at most once. ${SIMILAR_NAMES}`,
  })
  items!: CreateSipEndpointsItem[];

  @Field(() => Boolean, { nullable: true, defaultValue: false, description: DRY_RUN })
  dryRun?: boolean | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Key that makes it safe to repeat the mutation, for example after a lost connection. 8 to 128 visible ASCII characters, no " +
      'spaces. Use a new random value for each new list, such as a UUID. Example: "0b2c6f9e-1f43-4c0e-9d55-7a3e8f21c6d4".\n\n' +
      "If the same client repeats an input with the same key, the mutation creates the endpoints that are missing, and returns the " +
      "same password for each endpoint that an earlier attempt created. Without a key, such an item has the user error " +
      "`USERNAME_TAKEN`, and its generated password is lost.",
  })
  idempotencyKey?: string | null;
}

@ObjectType({ description: "Result of one item of `createSipEndpoints`." })
class CreateSipEndpointResult extends ItemResult {
  @Field(() => SipEndpoint, {
    nullable: true,
    description: "The SIP endpoint with its password. Null if the item has a problem, and in a dry run.",
  })
  sipEndpoint?: SipEndpoint;

  @Directive('@tag(name: "secret")')
  @Field(() => String, {
    nullable: true,
    description: "The password that was set. Null if the item has a problem, and in a dry run.",
  })
  get password(): string | undefined {
    return this.sipEndpoint?.knownPassword?.reveal();
  }
}

@ObjectType({ description: "Result of `createSipEndpoints`." })
class CreateSipEndpointsPayload extends ItemsPayload<CreateSipEndpointResult> {
  @Field(() => [CreateSipEndpointResult], {
    description:
      "One result per item, in the order of the items. Empty if nothing is done because of `userErrors`.",
  })
  get results(): readonly CreateSipEndpointResult[] {
    return this.items;
  }

  @Field(() => Int, { description: "Number of SIP endpoints that were created." })
  get created(): number {
    return this.count("done");
  }

  @Field(() => Int, {
    description:
      "Number of SIP endpoints that existed already: those that an earlier attempt with the same `idempotencyKey` created, and those " +
      "with the user error `USERNAME_TAKEN`.",
  })
  get existing(): number {
    return this.count("skipped");
  }
}

@InputType({ description: "The SIP endpoints to remove." })
class RemoveSipEndpointsInput {
  @Field(() => [ID], {
    description: `Usernames of the SIP endpoints, case-sensitive: 1 to ${MAX_ITEMS}, each at most once. ${SIMILAR_NAMES}`,
  })
  usernames!: string[];

  @Field(() => Boolean, { nullable: true, defaultValue: false, description: DRY_RUN })
  dryRun?: boolean | null;
}

@ObjectType({ description: "Result of one item of `removeSipEndpoints`." })
class RemoveSipEndpointResult extends ItemResult {
  @Field(() => ID, {
    nullable: true,
    description:
      "Id of the removed SIP endpoint, which a client removes from its cache. Null if the item has a problem, and in a dry run.",
  })
  removedId?: string;
}

@ObjectType({ description: "Result of `removeSipEndpoints`." })
class RemoveSipEndpointsPayload extends ItemsPayload<RemoveSipEndpointResult> {
  @Field(() => [RemoveSipEndpointResult], {
    description:
      "One result per username, in the order of the input. Empty if nothing is done because of `userErrors`.",
  })
  get results(): readonly RemoveSipEndpointResult[] {
    return this.items;
  }

  @Field(() => Int, { description: "Number of SIP endpoints that were removed." })
  get removed(): number {
    return this.count("done");
  }

  @Field(() => Int, {
    description:
      "Number of SIP endpoints that PIOPIY does not have: those with the user error `SIP_ENDPOINT_NOT_FOUND`.",
  })
  get missing(): number {
    return this.count("skipped");
  }
}

/** Creates and removes many endpoints. The result of each item is independent of the others. */
@Resolver()
export class SipEndpointsMutationsResolver {
  @RequiresScope("sip:write")
  @Mutation(() => CreateSipEndpointsPayload, {
    nullable: true,
    description: `Creates up to ${MAX_ITEMS} SIP endpoints, with the passwords of the input or generated passwords.\n\n${COST}`,
  })
  async createSipEndpoints(
    @Arg("input", () => CreateSipEndpointsInput, { description: "The SIP endpoints to create." })
    { items: inputs, dryRun, idempotencyKey = null }: CreateSipEndpointsInput,
    @Ctx() context: Context,
  ): Promise<CreateSipEndpointsPayload> {
    const tooFewOrMany = listErrors("items", inputs);
    const items = withDuplicateErrors(
      (tooFewOrMany.length > 0 ? [] : inputs).map((input, index) => {
        const { username } = input;
        const password = givenPassword(input);
        const at = ["items", String(index)];
        const userErrors = newEndpointErrors(username, password, at);
        return { username, password, path: [...at, "username"], userErrors };
      }),
    );
    const payloadErrors = [...tooFewOrMany, ...idempotencyKeyErrors(idempotencyKey)];
    if (payloadErrors.length > 0) {
      const itemErrors = items.flatMap(({ userErrors }) => userErrors);
      return new CreateSipEndpointsPayload([], [...payloadErrors, ...itemErrors]);
    }
    const key = idempotencyKey === null ? null : [context.client.name, idempotencyKey];
    const isDryRun = dryRun === true;
    const results = await executeItems(
      context,
      { fieldName: CREATE, isDryRun },
      items,
      async ({ username, password, path }) => {
        const created = await context.piopiy.create({ username, password, key, isDryRun });
        if (!created) {
          const taken = usernameTakenError({ username, password, key }, path);
          return new CreateSipEndpointResult(username, "skipped", [taken]);
        }
        const result = new CreateSipEndpointResult(username, created.isNew ? "done" : "skipped");
        if (!isDryRun) result.sipEndpoint = new SipEndpoint(username, created.credentials.password);
        return result;
      },
      CreateSipEndpointResult,
    );
    return new CreateSipEndpointsPayload(results);
  }

  @RequiresScope("sip:write")
  @Mutation(() => RemoveSipEndpointsPayload, {
    nullable: true,
    description: `Removes up to ${MAX_ITEMS} SIP endpoints permanently. Their usernames can be used for new endpoints.\n\n${COST}`,
  })
  async removeSipEndpoints(
    @Arg("input", () => RemoveSipEndpointsInput, { description: "The SIP endpoints to remove." })
    { usernames, dryRun }: RemoveSipEndpointsInput,
    @Ctx() context: Context,
  ): Promise<RemoveSipEndpointsPayload> {
    const tooFewOrMany = listErrors("usernames", usernames);
    if (tooFewOrMany.length > 0) return new RemoveSipEndpointsPayload([], tooFewOrMany);
    const { piopiy } = context;
    const items = withDuplicateErrors(
      usernames.map((username, index) => {
        const path = ["usernames", String(index)];
        return { username, path, userErrors: usernameErrors(username, path) };
      }),
    );
    const isDryRun = dryRun === true;
    const results = await executeItems(
      context,
      { fieldName: REMOVE, isDryRun },
      items,
      async ({ username, path }) => {
        const isRemoved = isDryRun ? await piopiy.exists(username) : (await piopiy.remove(username)) !== null;
        if (!isRemoved) {
          return new RemoveSipEndpointResult(username, "skipped", [notFoundError(username, path)]);
        }
        const result = new RemoveSipEndpointResult(username, "done");
        if (!isDryRun) result.removedId = new SipEndpoint(username).id;
        return result;
      },
      RemoveSipEndpointResult,
    );
    return new RemoveSipEndpointsPayload(results);
  }
}

import { Arg, Ctx, Query, Resolver } from "type-graphql";
import { GatewayError } from "../../errors.js";
import type { PiopiyLoader } from "../../piopiy/loader.js";
import { isUsername, USERNAME_RULE } from "../../sip/username.js";
import type { Context } from "../context.js";
import { MAX_IDS } from "../cost.js";
import { Node } from "../node.js";
import { ID } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { SipEndpoint, USERNAME_DESCRIPTION, usernameOfId } from "./sip-endpoint.type.js";

/** Finds endpoints by their usernames or ids. Each endpoint is read once per operation. */
@Resolver()
export class SipEndpointResolver {
  @RequiresScope("sip:read")
  @Query(() => SipEndpoint, {
    nullable: true,
    description:
      "Returns the SIP endpoint with this username, or null if PIOPIY has none.\n\n" +
      "Costs one upstream request. Requires the scope `sip:read`.",
  })
  async sipEndpoint(
    @Arg("username", () => ID, { description: USERNAME_DESCRIPTION }) username: string,
    @Ctx() { piopiy }: Context,
  ): Promise<SipEndpoint | null> {
    return findEndpoint(username, piopiy, "username");
  }

  @RequiresScope("sip:read")
  @Query(() => Node, {
    nullable: true,
    description:
      "Returns the object with this id, or null if there is none. SIP endpoints are the only objects with an id.\n\n" +
      "Costs one upstream request. Requires the scope `sip:read`.",
  })
  async node(
    @Arg("id", () => ID, { description: "Id of the object, such as `SipEndpoint.id`." }) id: string,
    @Ctx() { piopiy }: Context,
  ): Promise<Node | null> {
    return findById(id, piopiy);
  }

  @RequiresScope("sip:read")
  @Query(() => [Node], {
    nullable: "items",
    description:
      "Returns the objects with these ids, in the order of the ids. An item is null if there is no such object.\n\n" +
      "Costs one upstream request per different id. Requires the scope `sip:read`.",
  })
  nodes(
    @Arg("ids", () => [ID], {
      description: `Ids of the objects, such as \`SipEndpoint.id\`. At most ${MAX_IDS}.`,
    })
    ids: readonly string[],
    @Ctx() { piopiy }: Context,
  ): Promise<Node | null>[] {
    if (ids.length > MAX_IDS) {
      const message = `\`ids\` must have at most ${MAX_IDS} items (got ${ids.length}). Request them in several operations.`;
      throw new GatewayError("BAD_USER_INPUT", message, { argumentName: "ids" });
    }
    // Each id has its own promise, so that the failure of one object does not affect the others.
    return ids.map((id) => findById(id, piopiy));
  }
}

/**
 * Returns the endpoint that another subgraph refers to by one of its keys, or null if PIOPIY has none. The key in the request may
 * be any JSON.
 */
export async function resolveSipEndpointReference(
  { username, id }: { readonly username?: unknown; readonly id?: unknown },
  { piopiy }: Context,
): Promise<SipEndpoint | null> {
  return username === undefined && typeof id === "string"
    ? findById(id, piopiy)
    : findEndpoint(username, piopiy, "representations");
}

async function findById(id: string, piopiy: PiopiyLoader): Promise<SipEndpoint | null> {
  const username = usernameOfId(id);
  return isUsername(username) ? findEndpoint(username, piopiy, "id") : null;
}

async function findEndpoint(
  username: unknown,
  piopiy: PiopiyLoader,
  argumentName: string,
): Promise<SipEndpoint | null> {
  if (!isUsername(username)) {
    throw new GatewayError("BAD_USER_INPUT", `The username ${USERNAME_RULE}.`, { argumentName });
  }
  const record = await piopiy.endpoint(username);
  return record && new SipEndpoint(record.username, record.password, record);
}

import { type GraphQLResolveInfo, responsePathAsArray } from "graphql";
import { Arg, Ctx, Info, Query, Resolver } from "type-graphql";
import { argumentError, GatewayError } from "../../errors.js";
import { formatValue } from "../../format-value.js";
import { isUsername, USERNAME_RULE } from "../../sip/username.js";
import type { Context } from "../context.js";
import { MAX_IDS } from "../cost.js";
import { Node } from "../node.js";
import { ID } from "../scalars.js";
import { accessEndpoint, RequiresScope } from "../scopes.js";
import { SipEndpoint, USERNAME_DESCRIPTION, usernameOfId } from "./sip-endpoint.type.js";

const MY_SIP_ENDPOINT = "Query.mySipEndpoint";
const SCOPES = "Requires the scope `sip:read`, or `sip:self` for one's own SIP endpoint.";

/** Finds endpoints by their usernames or ids. Each endpoint is read once per operation. */
@Resolver()
export class SipEndpointResolver {
  @RequiresScope("sip:read", "sip:self")
  @Query(() => SipEndpoint, {
    nullable: true,
    description:
      "Returns the SIP endpoint with this username, or null if PIOPIY has none.\n\n" +
      `Costs one upstream request. ${SCOPES}`,
  })
  async sipEndpoint(
    @Arg("username", () => ID, { description: USERNAME_DESCRIPTION }) username: string,
    @Ctx() context: Context,
  ): Promise<SipEndpoint | null> {
    return findEndpoint(context, "Query.sipEndpoint", parseUsername(username, "username"));
  }

  @RequiresScope("sip:self", "sip:read")
  @Query(() => SipEndpoint, {
    nullable: true,
    description:
      "Returns the SIP endpoint of the person who uses the client, or null if PIOPIY has none of that name. The token of the client " +
      "contains the username. If the token contains no valid username, the error is `FORBIDDEN`. If clients have no usernames in " +
      "this gateway, the error is `NOT_CONFIGURED`.\n\n" +
      "Costs one upstream request. Requires the scope `sip:self` or `sip:read`.",
  })
  async mySipEndpoint(@Ctx() context: Context): Promise<SipEndpoint | null> {
    return findEndpoint(context, MY_SIP_ENDPOINT, requireOwnUsername(context));
  }

  @RequiresScope("sip:read", "sip:self")
  @Query(() => Node, {
    nullable: true,
    description:
      "Returns the object with this id, or null if there is none. SIP endpoints are the only objects with an id.\n\n" +
      `Costs one upstream request. ${SCOPES}`,
  })
  async node(
    @Arg("id", () => ID, { description: "Id of the object, such as `SipEndpoint.id`." }) id: string,
    @Ctx() context: Context,
  ): Promise<Node | null> {
    return findById(context, "Query.node", id);
  }

  @RequiresScope("sip:read", "sip:self")
  @Query(() => [Node], {
    nullable: "items",
    description:
      "Returns the objects with these ids, in the order of the ids. An item is null if there is no such object.\n\n" +
      `Costs one upstream request per different id. ${SCOPES}`,
  })
  nodes(
    @Arg("ids", () => [ID], {
      description: `Ids of the objects, such as \`SipEndpoint.id\`. At most ${MAX_IDS}. With more, the error is \`BAD_USER_INPUT\` and the list is empty.`,
    })
    ids: readonly string[],
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Node | null>[] {
    if (ids.length > MAX_IDS) {
      const problem = `must have at most ${MAX_IDS} items (got ${ids.length}). Request them in several operations`;
      // The field cannot be null: a thrown error would discard the data of all other fields.
      context.reportError(argumentError("ids", problem), responsePathAsArray(info.path));
      return [];
    }
    // Each id has its own promise, so that the failure of one object does not affect the others.
    return ids.map((id) => findById(context, "Query.nodes", id));
  }
}

/**
 * Returns the endpoint that another subgraph refers to by one of its keys, or null if PIOPIY has none. The key in the request may
 * be any JSON.
 */
export async function resolveSipEndpointReference(
  { username, id }: { readonly username?: unknown; readonly id?: unknown },
  context: Context,
): Promise<SipEndpoint | null> {
  return username === undefined && typeof id === "string"
    ? findById(context, "Query._entities", id)
    : findEndpoint(context, "Query._entities", parseUsername(username, "representations"));
}

async function findById(context: Context, fieldName: string, id: string): Promise<SipEndpoint | null> {
  const username = usernameOfId(id);
  return isUsername(username) ? findEndpoint(context, fieldName, username) : null;
}

async function findEndpoint(
  context: Context,
  fieldName: string,
  username: string,
): Promise<SipEndpoint | null> {
  return accessEndpoint(context, fieldName, "sip:read", username, async () => {
    const record = await context.piopiy.endpoint(username);
    return record && new SipEndpoint(record.username, record.password, record);
  });
}

function parseUsername(value: unknown, argumentName: string): string {
  if (isUsername(value)) return value;
  throw new GatewayError("BAD_USER_INPUT", `The username ${USERNAME_RULE}.`, { argumentName });
}

function requireOwnUsername({ audit, client, usernameClaim }: Context): string {
  if (client.username !== undefined) return client.username;
  if (usernameClaim === undefined) {
    throw new GatewayError(
      "NOT_CONFIGURED",
      `${MY_SIP_ENDPOINT} needs tokens with the SIP username of a person. The operator of the gateway must set AUTH=jwt and JWT_USERNAME_CLAIM.`,
    );
  }
  audit(MY_SIP_ENDPOINT, undefined, "FORBIDDEN");
  throw new GatewayError(
    "FORBIDDEN",
    `${MY_SIP_ENDPOINT} needs the claim ${formatValue(usernameClaim)} of the token (JWT_USERNAME_CLAIM). In this token it is missing or ` +
      `no username: it ${USERNAME_RULE}. Ask the operator of the gateway for a token with this claim.`,
  );
}

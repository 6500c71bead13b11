import { Ctx, Directive, FieldResolver, Resolver, Root } from "type-graphql";
import { GatewayError } from "../../errors.js";
import { formatValue } from "../../format-value.js";
import type { SipEndpointRecord } from "../../piopiy/protocol.js";
import { sipUri } from "../../sip/username.js";
import type { Context } from "../context.js";
import { accessEndpoint, RequiresScope } from "../scopes.js";
import { DETAIL_COST, SipEndpoint, SipEndpointType } from "./sip-endpoint.type.js";

type Awaitable<T> = T | Promise<T>;

/**
 * Resolves the fields of endpoints. The fields that PIOPIY's list does not contain cost one upstream read per username and operation.
 * If the read fails, only these fields are null.
 */
@Resolver(() => SipEndpoint)
export class SipEndpointFieldsResolver {
  @Directive("@semanticNonNull")
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "Address of the session border controller (SBC), the server with which the endpoint registers, as PIOPIY returns it. " +
      `Example: "sbc.example.com".\n\n${DETAIL_COST}`,
  })
  connectUrl(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<string> {
    return resolveDetail(endpoint, context, "connectUrl", (connectUrl) => connectUrl);
  }

  @Directive("@semanticNonNull")
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "SIP URI of the endpoint: its username, escaped as RFC 3261 requires, and the host, port and transport of the SBC. " +
      `Example: "sip:alice@sbc.example.com".\n\n${DETAIL_COST}`,
  })
  sipUri(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<string> {
    return resolveDetail(endpoint, context, "connectUrl", (connectUrl) =>
      sipUri(endpoint.username, connectUrl),
    );
  }

  @Directive("@semanticNonNull")
  @FieldResolver(() => Boolean, {
    nullable: true,
    description: `Whether the endpoint supports audio calls.\n\n${DETAIL_COST}`,
  })
  audio(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<boolean> {
    return resolveDetail(endpoint, context, "audio", (audio) => audio);
  }

  @Directive("@semanticNonNull")
  @FieldResolver(() => Boolean, {
    nullable: true,
    description: `Whether the endpoint supports video calls.\n\n${DETAIL_COST}`,
  })
  video(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<boolean> {
    return resolveDetail(endpoint, context, "video", (video) => video);
  }

  @Directive("@semanticNonNull")
  @FieldResolver(() => SipEndpointType, {
    nullable: true,
    description: `Kind of the endpoint.\n\n${DETAIL_COST}`,
  })
  type(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<SipEndpointType> {
    return resolveDetail(endpoint, context, "type", (type) => SipEndpointType[type]);
  }

  @RequiresScope("sip:password", "sip:self")
  @Directive('@tag(name: "secret")')
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "Password with which the endpoint registers, in clear text. Show it only to the person who uses the endpoint.\n\n" +
      "Passwords are never cached. If the endpoint comes from the cache, the password costs one upstream request. In a list, it " +
      "costs one upstream request per ten rows. Requires the scope `sip:password`, or `sip:self` for one's own SIP " +
      "endpoint. Without this scope, the field is null and the error is `FORBIDDEN`.",
  })
  async password(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<string> {
    const { username, knownPassword } = endpoint;
    return accessEndpoint(context, "SipEndpoint.password", "sip:password", username, async () => {
      const password = knownPassword ?? (await context.piopiy.password(username));
      if (password === null) throw await missingEndpointError(endpoint, context);
      if (password === undefined) throw invalidDetailError(endpoint, "password");
      return password.reveal();
    });
  }
}

/** The valid values of each field, for error messages. */
const expectedByField = {
  connectUrl: "the address of an SBC",
  audio: "true or false",
  video: "true or false",
  type: Object.keys(SipEndpointType).join(" or "),
  password: "a text that is not masked",
};
type Detail = "connectUrl" | "audio" | "video" | "type";

/**
 * Resolves a field from the record of its endpoint. If the record is missing, reads it first and returns a promise. If not,
 * returns the value itself: promises for all fields of a hundred rows would take longer than the rest of the operation.
 */
function resolveDetail<F extends Detail, T>(
  endpoint: SipEndpoint,
  context: Context,
  field: F,
  convert: (value: NonNullable<SipEndpointRecord[F]>) => T,
): Awaitable<T> {
  if (endpoint.record) return convert(requireDetail(endpoint, endpoint.record, field));
  return context.piopiy.endpoint(endpoint.username).then(async (record) => {
    if (!record) throw await missingEndpointError(endpoint, context);
    endpoint.record = record;
    return convert(requireDetail(endpoint, record, field));
  });
}

function requireDetail<F extends Detail>(
  endpoint: SipEndpoint,
  record: SipEndpointRecord,
  field: F,
): NonNullable<SipEndpointRecord[F]> {
  const value = record[field];
  if (value === undefined) throw invalidDetailError(endpoint, field);
  return value as NonNullable<SipEndpointRecord[F]>;
}

function invalidDetailError({ username }: SipEndpoint, field: keyof typeof expectedByField): GatewayError {
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY returned no valid \`${field}\` for the SIP endpoint ${formatValue(username)}. It must be ${expectedByField[field]}. ` +
      "The other fields are not affected. Check the endpoint in PIOPIY's console.",
  );
}

/**
 * Returns the error for an endpoint that PIOPIY has returned and then does not find. Invalidates it, so that the next request
 * reads it again.
 */
async function missingEndpointError({ username }: SipEndpoint, { piopiy }: Context): Promise<GatewayError> {
  await piopiy.invalidate(username);
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY returned the SIP endpoint ${formatValue(username)} and then did not find it. It may have been removed in between. Retry the request.`,
  );
}

import { Arg, Ctx, Directive, FieldResolver, Query, Resolver, Root } from "type-graphql";
import { GatewayError } from "../../errors.js";
import { formatValue } from "../../format-value.js";
import type { PiopiyLoader } from "../../piopiy/loader.js";
import type { SipEndpointRecord } from "../../piopiy/protocol.js";
import { isUsername, sipUri, USERNAME_RULE } from "../../sip/username.js";
import type { Context } from "../context.js";
import { ID } from "../scalars.js";
import { RequiresScope } from "../scopes.js";
import { SipEndpoint, SipEndpointType } from "./sip-endpoint.type.js";

type Awaitable<T> = T | Promise<T>;

/** One endpoint by its name. What lists and payloads do not carry is read from PIOPIY once a name and operation. */
@Resolver(() => SipEndpoint)
export class SipEndpointResolver {
  @RequiresScope("sip:read")
  @Query(() => SipEndpoint, {
    nullable: true,
    description: "The SIP endpoint of this name, or null when PIOPIY has none. Costs one request to PIOPIY.",
  })
  async sipEndpoint(
    @Arg("username", () => ID, {
      description: 'The name, in the same case, at most 256 bytes. Example: "alice".',
    })
    username: string,
    @Ctx() { piopiy }: Context,
  ): Promise<SipEndpoint | null> {
    return findEndpoint(username, piopiy, "username");
  }

  @FieldResolver(() => String, {
    description:
      "The address of the SBC (session border controller) to register with, as PIOPIY gives it. In a list it costs one request " +
      "to PIOPIY a row, together with sipUri, audio, video and type.",
  })
  connectUrl(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<string> {
    return resolveDetail(endpoint, context, "connectUrl", (connectUrl) => connectUrl);
  }

  @FieldResolver(() => String, {
    description: 'The full SIP address, escaped as RFC 3261 wants it. Example: "sip:alice@sbc.example.com".',
  })
  sipUri(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<string> {
    return resolveDetail(endpoint, context, "connectUrl", (connectUrl) =>
      sipUri(endpoint.username, connectUrl),
    );
  }

  @FieldResolver(() => Boolean, { description: "Whether it can take audio calls." })
  audio(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<boolean> {
    return resolveDetail(endpoint, context, "audio", (audio) => audio);
  }

  @FieldResolver(() => Boolean, { description: "Whether it can take video calls." })
  video(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<boolean> {
    return resolveDetail(endpoint, context, "video", (video) => video);
  }

  @FieldResolver(() => SipEndpointType, { description: "What kind of line it is." })
  type(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Awaitable<SipEndpointType> {
    return resolveDetail(endpoint, context, "type", (type) => SipEndpointType[type]);
  }

  @RequiresScope("sip:password")
  @Directive('@tag(name: "secret")')
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "The password it registers with, in clear text as PIOPIY keeps it: show it to its owner only.",
  })
  async password(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<string> {
    const password = endpoint.knownPassword ?? (await context.piopiy.password(endpoint.username));
    if (password === null) throw await missingEndpointError(endpoint, context);
    if (password === undefined) throw invalidDetailError(endpoint, "password");
    return password.reveal();
  }
}

/** Returns the endpoint that another subgraph refers to by its key, which may be any JSON; null when there is none. */
export async function resolveSipEndpointReference(
  { username }: { readonly username?: unknown },
  { piopiy }: Context,
): Promise<SipEndpoint | null> {
  return findEndpoint(username, piopiy, "representations");
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
 * Resolves a field from the record of its endpoint, which is read unless it is known. If it is known, this is synchronous: a promise
 * for each field of a hundred rows would take longer than the rest.
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
    `PIOPIY shows no valid \`${field}\` of the SIP endpoint ${formatValue(username)}: it must be ${expectedByField[field]}. ` +
      "The other fields are not affected; check the endpoint at PIOPIY.",
  );
}

/** Creates the error of an endpoint that PIOPIY named and does not have, once nothing cached repeats the contradiction. */
async function missingEndpointError({ username }: SipEndpoint, { piopiy }: Context): Promise<GatewayError> {
  await piopiy.invalidate(username);
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY named the SIP endpoint ${formatValue(username)} and then said that there is none: it may have been removed in between. Ask again.`,
  );
}

import { Arg, Ctx, Directive, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import type { Context } from "../../context.js";
import { GatewayError } from "../../errors.js";
import type { Endpoint } from "../../piopiy/cached-client.js";
import type { PiopiyLoader } from "../../piopiy/loader.js";
import { sipUri } from "../../piopiy/sip-uri.js";
import { RequiresScope } from "../requires-scope.js";
import { SipEndpoint } from "./sip-endpoint.type.js";
import { SipEndpointType } from "./sip-endpoint-type.enum.js";

/** One endpoint by its name. What lists and payloads do not carry is read from PIOPIY once a name and operation. */
@Resolver(() => SipEndpoint)
export class SipEndpointResolver {
  @RequiresScope("sip:read")
  @Query(() => SipEndpoint, {
    nullable: true,
    description: "The SIP endpoint of this name, or null when PIOPIY has none. Costs one call of get_sip.",
  })
  async sipEndpoint(
    @Arg("username", () => ID, { description: 'The name, in the same case. Example: "alice".' })
    username: string,
    @Ctx() { piopiy }: Context,
  ): Promise<SipEndpoint | null> {
    return find(username, piopiy, "username");
  }

  @FieldResolver(() => String, {
    description:
      "The address of the SBC (session border controller) to register with, as PIOPIY gives it. In a list it costs one call " +
      "of get_sip a row, together with sipUri, audio, video and type.",
  })
  async connectUrl(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<string> {
    return (await read(endpoint, context)).connectUrl;
  }

  @FieldResolver(() => String, {
    description: 'The full SIP address, escaped as RFC 3261 wants it. Example: "sip:alice@sbc.example.com".',
  })
  async sipUri(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<string> {
    return sipUri(endpoint.username, (await read(endpoint, context)).connectUrl);
  }

  @FieldResolver(() => Boolean, { description: "Whether it can take audio calls." })
  async audio(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<boolean> {
    return (await read(endpoint, context)).audio;
  }

  @FieldResolver(() => Boolean, { description: "Whether it can take video calls." })
  async video(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<boolean> {
    return (await read(endpoint, context)).video;
  }

  @FieldResolver(() => SipEndpointType, { description: "What kind of line it is." })
  async type(@Root() endpoint: SipEndpoint, @Ctx() context: Context): Promise<SipEndpointType> {
    return SipEndpointType[(await read(endpoint, context)).type];
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
    if (password === undefined) throw gone(endpoint);
    return password;
  }
}

/** Finds the endpoint that another subgraph refers to by its key, which may be any JSON; null when there is none. */
export async function resolveSipEndpointReference(
  { username }: { readonly username?: unknown },
  { piopiy }: Context,
): Promise<SipEndpoint | null> {
  return find(username, piopiy, "representations");
}

async function find(
  username: unknown,
  piopiy: PiopiyLoader,
  argumentName: string,
): Promise<SipEndpoint | null> {
  if (typeof username !== "string" || username === "") {
    throw new GatewayError("BAD_USER_INPUT", "The username must be a text that is not empty.", {
      argumentName,
    });
  }
  const record = await piopiy.find(username);
  return record && new SipEndpoint(record.username, record.password);
}

async function read(endpoint: SipEndpoint, { piopiy }: Context): Promise<Endpoint> {
  const record = await piopiy.find(endpoint.username);
  if (!record) throw gone(endpoint);
  return record;
}

function gone({ username }: SipEndpoint): GatewayError {
  return new GatewayError(
    "UPSTREAM_INVALID_RESPONSE",
    `PIOPIY named the SIP endpoint ${JSON.stringify(username)} and then said that there is none: it may have been removed in between. Ask again.`,
  );
}

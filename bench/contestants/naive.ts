import "reflect-metadata";
import { globalAgent } from "node:http";
import { ApolloServer } from "@apollo/server";
import fastifyApollo, { fastifyApolloDrainPlugin } from "@as-integrations/fastify";
import fastify from "fastify";
import got from "got";
import {
  Arg,
  buildSchema,
  Field,
  ID,
  Int,
  ObjectType,
  Query,
  Resolver,
  registerEnumType,
} from "type-graphql";
import { type Endpoint, readEndpoint, readRows, type UpstreamEndpoint, type UpstreamPage } from "./piopiy.js";
import { settings } from "./settings.js";

enum SipEndpointType {
  SIP = "SIP",
  PSTN = "PSTN",
}
registerEnumType(SipEndpointType, { name: "SipEndpointType" });

@ObjectType()
class SipEndpoint implements Endpoint {
  @Field(() => ID) username!: string;
  @Field(() => String) connectUrl!: string;
  @Field(() => String) sipUri!: string;
  @Field(() => Boolean) audio!: boolean;
  @Field(() => Boolean) video!: boolean;
  @Field(() => SipEndpointType) type!: SipEndpointType;
}

@ObjectType()
class SipEndpointConnection {
  @Field(() => [SipEndpoint]) nodes!: SipEndpoint[];
  @Field(() => Int) totalCount!: number;
}

/** The queries. Each one always sends its upstream requests. */
@Resolver()
export class NaiveResolver {
  @Query(() => SipEndpoint, { nullable: true })
  sipEndpoint(@Arg("username", () => ID) username: string): Promise<Endpoint | null> {
    return getSip(username);
  }

  @Query(() => SipEndpointConnection)
  async sipEndpoints(
    @Arg("first", () => Int, { defaultValue: 10 }) first: number,
    @Arg("offset", () => Int, { defaultValue: 0 }) offset: number,
  ): Promise<{ nodes: (Endpoint | null)[]; totalCount: number }> {
    const { usernames, totalCount } = await readRows(first, offset, (page) =>
      post<UpstreamPage>("list_sip", { page }),
    );
    return { nodes: await Promise.all(usernames.map(getSip)), totalCount };
  }
}

async function getSip(username: string): Promise<Endpoint | null> {
  return readEndpoint(await post<UpstreamEndpoint>("get_sip", { username }));
}

function post<Reply>(operation: string, parameters: object): Promise<Reply> {
  return got
    .post(settings.upstreamUrl + operation, { json: { ...settings.account, ...parameters } })
    .json<Reply>();
}

// The gateway's stack in its simplest form: every field causes an upstream request.

// got uses this agent, which has no limit by default.
globalAgent.maxSockets = settings.maxConcurrency;

const server = fastify();
const apollo = new ApolloServer({
  schema: await buildSchema({ resolvers: [NaiveResolver], validate: false }),
  plugins: [fastifyApolloDrainPlugin(server)],
});
await apollo.start();
await server.register(fastifyApollo(apollo));
await server.listen({ host: "127.0.0.1", port: settings.port });

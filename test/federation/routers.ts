import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { createGatewayRuntime, type GatewayPlugin } from "@graphql-hive/gateway-runtime";
import { GraphQLError } from "graphql";
import { gatewayConfig } from "../support/router/gateway.config.js";
import { compose, type Subgraph, subgraphs } from "./supergraph.js";

/** A router for both subgraphs that forwards the client's `Authorization` header, request id and address. */
export interface Router {
  readonly url: string;
  close(): Promise<void>;
}

interface ClientContext {
  readonly authorization?: string | undefined;
  readonly requestId?: string | undefined;
  readonly forwardedFor?: string;
}

type FetcherResponse = Parameters<RemoteGraphQLDataSource["errorFromResponse"]>[0];

class HeaderPassingSource extends RemoteGraphQLDataSource<ClientContext> {
  override willSendRequest({
    request,
    context,
  }: Parameters<NonNullable<RemoteGraphQLDataSource<ClientContext>["willSendRequest"]>>[0]) {
    const { authorization, requestId, forwardedFor } = context as ClientContext;
    if (authorization) request.http?.headers.set("authorization", authorization);
    if (requestId) request.http?.headers.set("x-request-id", requestId);
    if (forwardedFor) request.http?.headers.set("x-forwarded-for", forwardedFor);
  }

  /** Returns the error of the subgraph. Otherwise the code would be INTERNAL_SERVER_ERROR. */
  override async errorFromResponse(response: FetcherResponse) {
    const { errors } = Object(await this.parseBody(response.clone()));
    return errors ? new GraphQLError(errors[0].message, errors[0]) : super.errorFromResponse(response);
  }
}

/** Starts Apollo's gateway, which rejects a supergraph with security directives. */
async function startApolloGateway(
  piopiyUrl: string,
  employeesUrl: string,
  others: readonly Subgraph[] = [],
): Promise<Router> {
  const parts = subgraphs(piopiyUrl, employeesUrl, "schema/subgraph.without-security.graphql");
  const gateway = new ApolloGateway({
    supergraphSdl: compose([...parts, ...others]),
    buildService: ({ url }) => new HeaderPassingSource({ url: url ?? "" }),
  });
  const server = new ApolloServer<ClientContext>({ gateway, nodeEnv: "production" });
  const { url } = await startStandaloneServer(server, {
    listen: { host: "127.0.0.1", port: 0 },
    context: async ({ req: { headers, socket } }) => ({
      authorization: headers.authorization,
      requestId: headers["x-request-id"]?.toString(),
      forwardedFor: [headers["x-forwarded-for"], socket.remoteAddress].filter(Boolean).join(", "),
    }),
  });
  return { url, close: () => server.stop() };
}

/** Starts The Guild's Hive Gateway. */
export async function startHiveGateway(
  piopiyUrl: string,
  employeesUrl: string,
  others: readonly Subgraph[] = [],
  plugins: GatewayPlugin[] = [],
): Promise<Router> {
  const runtime = createGatewayRuntime({
    supergraph: compose([...subgraphs(piopiyUrl, employeesUrl), ...others]),
    logging: false,
    plugins: () => plugins,
    ...gatewayConfig,
  });
  const server = createServer(runtime);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async close() {
      server.close();
      server.closeAllConnections();
      await runtime.dispose();
    },
  };
}

export const routers = { "Apollo Gateway": startApolloGateway, "Hive Gateway": startHiveGateway };

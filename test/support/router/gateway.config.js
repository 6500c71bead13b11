/**
 * What Hive Gateway must be told to stand in front of the gateway: the client's credential and address go on to the
 * subgraphs. The address of the connection is appended, so that a client cannot claim another one.
 */
export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request, context }) => ({
      authorization: request.headers.get("authorization") ?? undefined,
      "x-forwarded-for": [request.headers.get("x-forwarded-for"), context.req?.socket.remoteAddress]
        .filter(Boolean)
        .join(", "),
    }),
  },
};

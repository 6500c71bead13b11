/**
 * Configures Hive Gateway to forward the client's credential, request id and address to the subgraphs. It appends the address of the
 * connection, so that a client cannot forge its address.
 */
export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request, context }) => ({
      authorization: request.headers.get("authorization") ?? undefined,
      "x-request-id": request.headers.get("x-request-id") ?? undefined,
      "x-forwarded-for": [request.headers.get("x-forwarded-for"), context.req?.socket.remoteAddress]
        .filter(Boolean)
        .join(", "),
    }),
  },
};

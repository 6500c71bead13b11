/** What Hive Gateway must be told to stand in front of the gateway: the caller's credential goes on to the subgraphs. */
export const gatewayConfig = {
  propagateHeaders: {
    fromClientToSubgraphs: ({ request }) => ({
      authorization: request.headers.get("authorization") ?? undefined,
    }),
  },
};

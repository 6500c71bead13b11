import { once } from "node:events";
import { request } from "node:http";
import { until } from "../until.js";
import { type Responder, send, type UpstreamResponse } from "../upstream/broken-upstream.js";
import type { TestGateway } from "./test-gateway.js";

/** Creates a responder that delays responses until `release`. */
export function held(): { responder: Responder; release: (reply?: UpstreamResponse) => void } {
  const responses: ((reply: UpstreamResponse) => void)[] = [];
  return {
    responder: (response) => responses.push((reply) => send(response, reply)),
    release: (reply = {}) => {
      for (const response of responses.splice(0)) response(reply);
    },
  };
}

/** Sends an operation over its own connection, and disconnects when the gateway has received it and `isTime` is true. */
export async function abandon(
  gateway: TestGateway,
  query: string,
  isTime: () => boolean,
  variables: object = {},
): Promise<void> {
  const sent = request(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  sent.on("error", () => {});
  sent.end(JSON.stringify({ query, variables }));
  await once(sent, "finish");
  await until(isTime);
  await gateway.execute("{ __typename }");
  sent.destroy();
  // When this operation has a response, the gateway has also noticed the disconnection.
  await gateway.execute("{ __typename }");
}

/** Waits until the gateway logs one more operation that has failed with UPSTREAM_TIMEOUT. */
export async function untilTimedOut({ log }: TestGateway, act: () => Promise<void>): Promise<void> {
  const before = log.length;
  await act();
  await until(() => log.slice(before).some((line) => line.includes('["UPSTREAM_TIMEOUT"]')));
}

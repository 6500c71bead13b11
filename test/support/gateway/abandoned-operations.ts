import { once } from "node:events";
import { request } from "node:http";
import { until } from "../until.js";
import { type Behaviour, type BrokenReply, send } from "../upstream/broken-upstream.js";
import type { TestGateway } from "./test-gateway.js";

/** Holds calls back until `release`, and then answers them. */
export function held(): { behaviour: Behaviour; release: (reply?: BrokenReply) => void } {
  const answers: ((reply: BrokenReply) => void)[] = [];
  return {
    behaviour: (response) => answers.push((reply) => send(response, reply)),
    release: (reply = {}) => {
      for (const answer of answers.splice(0)) answer(reply);
    },
  };
}

/** Sends an operation over a connection of its own, and hangs up once the gateway has it and `isTime`. */
export async function hangUp(gateway: TestGateway, query: string, isTime: () => boolean): Promise<void> {
  const asking = request(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  asking.on("error", () => {});
  asking.end(JSON.stringify({ query }));
  await once(asking, "finish");
  await until(isTime);
  await gateway.ask("{ __typename }");
  asking.destroy();
  // What the gateway answers after this it answers knowing that the caller has gone.
  await gateway.ask("{ __typename }");
}

/** Waits until the gateway is done with one more operation that came to nothing. */
export async function givenUp({ log }: TestGateway, act: () => Promise<void>): Promise<void> {
  const before = log.length;
  await act();
  await until(() => log.slice(before).some((line) => line.includes('["UPSTREAM_TIMEOUT"]')));
}

import { once } from "node:events";
import { request } from "node:http";
import { afterEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { outcomeOf } from "../support/gateway/lost-writes.js";
import { reads } from "../support/gateway/reads.js";
import { until } from "../support/until.js";
import { send } from "../support/upstream/broken-upstream.js";

const others = ["b", "c", "d", "e"];
const keys = apiKeys(
  Object.fromEntries(["a", ...others].map((name) => [`key-${name}`, "sip:read+sip:write"])),
);
const a = bearer("key-a");
let broken: BrokenGateway;
afterEach(() => broken.close());

let release: () => void;

/** Starts a gateway with four slots, whose upstream sends no response before `release`. */
async function start(settings: Record<string, string>): Promise<void> {
  const limits = { MAX_COST: "100000", MAX_TOKENS: "10000", RATE_LIMIT_PER_MINUTE: "0" };
  const times = { PIOPIY_TIMEOUT_MS: "60000", PIOPIY_DEADLINE_MS: "60000" };
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "4", ...limits, ...times, ...settings });
  const hold = held();
  broken.upstream.respond(hold.responder);
  release = () => {
    broken.upstream.respond((response) => void setTimeout(send, 2, response, {}));
    hold.release();
  };
}

/** Waits until the gateway has begun to execute the operations that were sent. */
async function begun(headers: Record<string, string> = {}): Promise<void> {
  await until(() => broken.upstream.requests.length > 0);
  for (let round = 0; round < 5; round++) await broken.gateway.execute("{ __typename }", {}, headers);
}

/** Returns the number of upstream requests of the flood that began before the last one of other clients. */
async function begunBefore(flood: Promise<unknown>[], execute: () => Promise<unknown>[]): Promise<number> {
  await begun(a);
  const requested = execute();
  await begun(a);
  release();
  await Promise.all(requested);
  const requests = broken.upstream.requests.map(({ body }) => (body.includes("flood") ? "flood" : "other"));
  await Promise.all(flood);
  expect(broken.upstream.requests.length).toBeGreaterThan(80);
  return requests.slice(0, requests.lastIndexOf("other")).filter((request) => request === "flood").length;
}

const target = (flood: number, n: number) => `{ type: SIP, user: "flood-${flood}-${n}" }`;
const targets = (flood: number) => Array.from({ length: 100 }, (_, n) => target(flood, n)).join(" ");

describe("Hundreds of upstream requests of one client", () => {
  it.each<[string, number, (flood: number) => string]>([
    [
      "verified targets",
      2,
      (n) => `{ connectAction(input: { call: [${targets(n)}] }, verify: true) { summary } }`,
    ],
    ["reads by alias", 4, (n) => reads(`flood-${n}`, 64)],
    ["removals", 80, (n) => `mutation { removeSipEndpoint(input: { username: "flood-${n}" }) { username } }`],
    [
      "creations",
      80,
      (n) => `mutation { createSipEndpoint(input: { username: "flood-${n}" }) { userErrors { code } } }`,
    ],
  ])("do not delay the reads of other clients: %s", async (_, operations, flood) => {
    await start(keys);
    const floods = Array.from({ length: operations }, (_value, n) => broken.gateway.execute(flood(n), {}, a));
    const before = await begunBefore(floods, () =>
      others.map(async (name) => {
        const response = await broken.gateway.execute(reads(name, 3), {}, bearer(`key-${name}`));
        expect(outcomeOf(response)).toBe("done");
      }),
    );
    expect(before).toBeLessThan(10);
  });

  it("do not delay the writes of other clients", async () => {
    await start(keys);
    const floods = Array.from({ length: 4 }, (_, n) =>
      broken.gateway.execute(reads(`flood-${n}`, 64), {}, a),
    );
    const before = await begunBefore(floods, () => [removeMine()]);
    expect(before).toBeLessThan(4);

    async function removeMine(): Promise<void> {
      const query = 'mutation { removeSipEndpoint(input: { username: "mine" }) { username } }';
      expect(outcomeOf(await broken.gateway.execute(query, {}, bearer("key-b")))).toBe("done");
    }
  });

  it("do not delay clients at other addresses with AUTH=none", async () => {
    await start({ AUTH: "none" });
    const floods = Array.from({ length: 4 }, (_, n) => broken.gateway.execute(reads(`flood-${n}`, 64)));
    const before = await begunBefore(floods, () => [executeFromElsewhere()]);
    expect(before).toBeLessThan(10);

    async function executeFromElsewhere(): Promise<void> {
      const headers = { "content-type": "application/json" };
      const options = { method: "POST", localAddress: "127.0.0.2", headers };
      const sent = request(`${broken.gateway.origin}/graphql`, options);
      const [response] = await once(sent.end(JSON.stringify({ query: reads("b", 3) })), "response");
      const body = Buffer.concat(await response.toArray());
      expect(JSON.parse(String(body)).errors).toBeUndefined();
    }
  });
});

import { afterEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { freePort, hasRedis, startRedis, type TestRedis } from "../support/redis.js";
import { until } from "../support/until.js";
import { alice, type Responder } from "../support/upstream/broken-upstream.js";

const withRedis = hasRedis ? it : it.skip;
if (!hasRedis)
  process.stderr.write("Skipped: a test of Redis's health needs Redis (apt-get install redis-server).\n");

const refused: Responder = { body: { code: "cmi-420" } };
const outage: Responder = { status: 503, body: "<h1>Back soon</h1>" };
const read = '{ sipEndpoint(username: "alice") { username } }';

let broken: BrokenGateway;
let redis: TestRedis | undefined;
afterEach(async () => {
  await broken.close();
  await redis?.kill();
});

async function readiness(): Promise<unknown> {
  const response = await fetch(`${broken.gateway.origin}/health/ready`);
  return [response.status, await response.json()];
}

async function openCircuitBreaker(): Promise<void> {
  await until(async () => {
    await broken.gateway.execute(read);
    return broken.gateway.log.some((line) => line.includes("the circuit breaker is open"));
  });
}

/** Returns the state of PIOPIY after a read with each of these responses. An outage lasts until the circuit breaker opens. */
async function statesAfter(...responders: Responder[]): Promise<unknown[]> {
  const states: unknown[] = [];
  for (const responder of responders) {
    broken.upstream.respond(responder);
    await broken.gateway.execute(read);
    if (responder === outage) await openCircuitBreaker();
    const [status, body] = (await readiness()) as [number, { piopiy: string }];
    expect(status).toBe(200);
    states.push(body.piopiy);
  }
  return states;
}

describe("/health/ready", () => {
  it.each<[string, Responder[], string[]]>([
    ["after a success", [{ body: alice }], ["up"]],
    ["after the code for an unknown username", [{ body: { code: "cmi-400" } }], ["up"]],
    ["after an error that is not about the account", [{ body: { code: "cmi-404" } }], ["up"]],
    ["after a response to another request", [{ body: { ...alice, username: "bob" } }], ["up"]],
    ["after code 420", [refused], ["refused"]],
    ["after HTTP 420 without a code", [{ status: 420, body: "" }], ["refused"]],
    ["during an outage", [outage], ["down"]],
    ["when the account is rejected after a success", [{ body: alice }, refused], ["up", "refused"]],
    [
      "until a request with the account succeeds",
      [refused, { body: { code: "cmi-404" } }, (response) => response.destroy(), { body: alice }],
      ["refused", "refused", "refused", "up"],
    ],
    ["when an outage follows the refusal", [refused, outage], ["refused", "refused"]],
  ])("reports the state of PIOPIY %s, and stays 200", async (_, responders, states) => {
    broken = await startBrokenGateway();
    expect(await readiness()).toEqual([200, { status: "ready", piopiy: "unknown", redis: "off" }]);
    expect(await statesAfter(...responders)).toEqual(states);
  });

  withRedis("reports the state of Redis, and stays 200", async () => {
    const port = await freePort();
    redis = await startRedis(port);
    broken = await startBrokenGateway({ REDIS_URL: redis.url });
    const reports = async (state: string) => {
      const [status, body] = (await readiness()) as [number, unknown];
      expect(status).toBe(200);
      return JSON.stringify(body) === JSON.stringify({ status: "ready", piopiy: "unknown", redis: state });
    };
    await until(() => reports("up"));
    await redis.kill();
    await until(() => reports("down"));
    redis = await startRedis(port);
    await until(() => reports("up"));
  });
});

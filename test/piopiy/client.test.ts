import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { GatewayError } from "../../src/errors.js";
import { PiopiyClient } from "../../src/piopiy/client.js";
import { OperationDeadline } from "../../src/piopiy/deadline.js";
import { Secret } from "../../src/secret.js";
import { until } from "../support/until.js";
import { type BrokenUpstream, send, startBrokenUpstream } from "../support/upstream/broken-upstream.js";

const PATIENT_MS = 60_000;

const log = pino({ level: "silent" });
let upstream: BrokenUpstream;
let client: PiopiyClient;
beforeAll(async () => {
  upstream = await startBrokenUpstream();
});
afterEach(() => client.close());
afterAll(() => upstream.close());

function connect(maxConcurrency: number): void {
  const account = { url: upstream.url, appId: 1, secret: new Secret("made-up-secret") };
  const options = { ...account, timeoutMs: 10_000, maxConcurrency, breakerResetMs: 5000, cacheTtlMs: 0 };
  client = new PiopiyClient(options, log);
}

const users = () => upstream.calls.map(({ body }) => JSON.parse(body).username);

/** How each call failed: its code, or what else came of it. */
async function codes(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(calls);
  return results.map((result) => {
    if (result.status === "fulfilled") return "fulfilled";
    return result.reason instanceof GatewayError ? result.reason.code : result.reason;
  });
}

describe("Many calls of one operation", () => {
  it("are in flight together, up to the limit", async () => {
    let inFlight = 0;
    let most = 0;
    upstream.answer((response) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      setImmediate(() => {
        inFlight -= 1;
        send(response, {});
      });
    });
    connect(32);
    const deadline = new OperationDeadline(PATIENT_MS, "someone");
    const calls = Array.from({ length: 200 }, (_, index) =>
      client.read("get_sip", { username: `user-${index}` }, deadline),
    );
    expect(await codes(calls)).toEqual(Array(200).fill("fulfilled"));
    expect(most).toBeLessThanOrEqual(32);
    expect(upstream.connections.made).toBeLessThanOrEqual(32);
    deadline.close();
  });

  it("end together with the time, those under way and those that wait", async () => {
    upstream.answer(() => {});
    connect(60);
    const deadline = new OperationDeadline(2000, "someone");
    const reads = codes(
      Array.from({ length: 100 }, (_, index) =>
        client.read("get_sip", { username: `user-${index}` }, deadline),
      ),
    );
    await until(() => upstream.calls.length === 60);
    expect(await reads).toEqual(Array(100).fill("UPSTREAM_TIMEOUT"));
    expect(upstream.calls).toHaveLength(60);
    await until(() => upstream.connections.open === 0);
  });

  it("are not even begun once the time is spent", async () => {
    upstream.answer({});
    connect(1);
    const deadline = new OperationDeadline(PATIENT_MS, "someone");
    deadline.abort();
    const calls = [
      client.read("get_sip", { username: "a" }, deadline),
      client.write("remove_sip", { username: "b" }, deadline),
      client.read("list_sip", { page: 1 }, deadline),
    ];
    expect(await codes(calls)).toEqual(Array(3).fill("UPSTREAM_TIMEOUT"));
    expect(upstream.calls).toEqual([]);
  });
});

describe("A call that waits for its turn", () => {
  it("is given up when its own time is spent, a write too, while others wait on", async () => {
    const answers: (() => void)[] = [];
    upstream.answer((response) => answers.push(() => send(response, {})), {});
    connect(1);
    const patient = new OperationDeadline(PATIENT_MS, "someone");
    const first = client.read("get_sip", { username: "first" }, patient);
    await until(() => upstream.calls.length === 1);
    const hasty = new OperationDeadline(20, "someone");
    const waiting = codes([
      client.write("remove_sip", { username: "write" }, hasty),
      client.read("get_sip", { username: "read" }, hasty),
    ]);
    const last = client.read("get_sip", { username: "last" }, patient);
    expect(await waiting).toEqual(["UPSTREAM_TIMEOUT", "UPSTREAM_TIMEOUT"]);
    for (const answer of answers) answer();
    expect(await codes([first, last])).toEqual(["fulfilled", "fulfilled"]);
    expect(users()).toEqual(["first", "last"]);
    patient.close();
  });

  it("goes before the reads if it is a write", async () => {
    upstream.answer({});
    connect(1);
    const deadline = new OperationDeadline(PATIENT_MS, "someone");
    const calls = [
      client.read("get_sip", { username: "first" }, deadline),
      client.read("get_sip", { username: "read" }, deadline),
      client.write("remove_sip", { username: "write" }, deadline),
    ];
    expect(await codes(calls)).toEqual(Array(3).fill("fulfilled"));
    expect(users()).toEqual(["first", "write", "read"]);
    deadline.close();
  });
});

describe("An operation that is answered", () => {
  it("spends nothing more: reads beside the one whose failure was the answer end", async () => {
    upstream.answer(() => {});
    const deadline = new OperationDeadline(PATIENT_MS, "someone");
    connect(1);
    const read = client.read("get_sip", { username: "alice" }, deadline);
    await until(() => upstream.calls.length === 1);
    deadline.close();
    expect(await codes([read])).toEqual(["UPSTREAM_TIMEOUT"]);
    await until(() => upstream.connections.open === 0);
  });
});

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

const users = () => upstream.requests.map(({ body }) => JSON.parse(body).username);

/** Returns the outcome of each request: "fulfilled", an error code, or another error. */
async function codes(requests: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(requests);
  return results.map((result) => {
    if (result.status === "fulfilled") return "fulfilled";
    return result.reason instanceof GatewayError ? result.reason.code : result.reason;
  });
}

describe("Many upstream requests of one operation", () => {
  it("are in flight together, up to the concurrency limit", async () => {
    let inFlight = 0;
    let most = 0;
    upstream.respond((response) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      setImmediate(() => {
        inFlight -= 1;
        send(response, {});
      });
    });
    connect(32);
    const deadline = new OperationDeadline(PATIENT_MS, "someone", "test");
    const requests = Array.from({ length: 200 }, (_, index) =>
      client.read("get_sip", { username: `user-${index}` }, deadline),
    );
    expect(await codes(requests)).toEqual(Array(200).fill("fulfilled"));
    expect(most).toBeLessThanOrEqual(32);
    expect(upstream.connections.made).toBeLessThanOrEqual(32);
    deadline.close();
  });

  it("are all aborted at the deadline, in flight or queued", async () => {
    upstream.respond(() => {});
    connect(60);
    const deadline = new OperationDeadline(2000, "someone", "test");
    const reads = codes(
      Array.from({ length: 100 }, (_, index) =>
        client.read("get_sip", { username: `user-${index}` }, deadline),
      ),
    );
    await until(() => upstream.requests.length === 60);
    expect(await reads).toEqual(Array(100).fill("UPSTREAM_TIMEOUT"));
    expect(upstream.requests).toHaveLength(60);
    await until(() => upstream.connections.open === 0);
  });

  it("are not sent after the operation was aborted", async () => {
    upstream.respond({});
    connect(1);
    const deadline = new OperationDeadline(PATIENT_MS, "someone", "test");
    deadline.abort();
    const requests = [
      client.read("get_sip", { username: "a" }, deadline),
      client.write("remove_sip", { username: "b" }, deadline),
      client.read("list_sip", { page: 1 }, deadline),
    ];
    expect(await codes(requests)).toEqual(Array(3).fill("UPSTREAM_TIMEOUT"));
    expect(upstream.requests).toEqual([]);
  });
});

describe("A queued upstream request", () => {
  it("is removed at its own deadline, a write too, while others stay queued", async () => {
    const responses: (() => void)[] = [];
    upstream.respond((response) => responses.push(() => send(response, {})), {});
    connect(1);
    const longDeadline = new OperationDeadline(PATIENT_MS, "someone", "test");
    const first = client.read("get_sip", { username: "first" }, longDeadline);
    await until(() => upstream.requests.length === 1);
    const shortTimeouts = new OperationDeadline(20, "someone", "test");
    const waiting = codes([
      client.write("remove_sip", { username: "write" }, shortTimeouts),
      client.read("get_sip", { username: "read" }, shortTimeouts),
    ]);
    const last = client.read("get_sip", { username: "last" }, longDeadline);
    expect(await waiting).toEqual(["UPSTREAM_TIMEOUT", "UPSTREAM_TIMEOUT"]);
    for (const result of responses) result();
    expect(await codes([first, last])).toEqual(["fulfilled", "fulfilled"]);
    expect(users()).toEqual(["first", "last"]);
    longDeadline.close();
  });

  it("is sent before queued reads if it is a write", async () => {
    upstream.respond({});
    connect(1);
    const deadline = new OperationDeadline(PATIENT_MS, "someone", "test");
    const requests = [
      client.read("get_sip", { username: "first" }, deadline),
      client.read("get_sip", { username: "read" }, deadline),
      client.write("remove_sip", { username: "write" }, deadline),
    ];
    expect(await codes(requests)).toEqual(Array(3).fill("fulfilled"));
    expect(users()).toEqual(["first", "write", "read"]);
    deadline.close();
  });
});

describe("An operation that has ended", () => {
  it("aborts its reads that are still in flight", async () => {
    upstream.respond(() => {});
    const deadline = new OperationDeadline(PATIENT_MS, "someone", "test");
    connect(1);
    const read = client.read("get_sip", { username: "alice" }, deadline);
    await until(() => upstream.requests.length === 1);
    deadline.close();
    expect(await codes([read])).toEqual(["UPSTREAM_TIMEOUT"]);
    await until(() => upstream.connections.open === 0);
  });
});

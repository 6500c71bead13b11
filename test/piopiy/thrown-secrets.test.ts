import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { GatewayError } from "../../src/errors.js";
import { PiopiyClient } from "../../src/piopiy/client.js";
import { OperationDeadline } from "../../src/piopiy/deadline.js";
import { Secret } from "../../src/secret.js";
import {
  type BrokenUpstream,
  type Responder,
  startBrokenUpstream,
} from "../support/upstream/broken-upstream.js";
import { canaries, echoes, holdsCanary } from "../support/upstream/canaries.js";

const { password, secret } = canaries;

const log = pino({ level: "silent" });
let upstream: BrokenUpstream;
let deadline: OperationDeadline;
beforeAll(async () => {
  upstream = await startBrokenUpstream();
});
afterEach(() => deadline.close());
afterAll(() => upstream.close());

/** Returns the errors that the five operations throw. */
async function thrown(url: string): Promise<unknown[]> {
  const account = { url, appId: 1, secret: new Secret(secret) };
  const options = { ...account, timeoutMs: 100, maxConcurrency: 5, breakerResetMs: 5000, cacheTtlMs: 0 };
  const client = new PiopiyClient(options, log);
  deadline = new OperationDeadline(600, "someone", "test");
  const results = await Promise.allSettled([
    client.read("get_sip", { username: "alice" }, deadline),
    client.read("list_sip", { page: 1 }, deadline),
    client.write("add_sip", { username: "alice", password: new Secret(password) }, deadline),
    client.write("update_sip", { username: "alice", password: new Secret(password) }, deadline),
    client.write("remove_sip", { username: "alice" }, deadline),
  ]);
  await client.close();
  return results.map((result) => (result.status === "rejected" ? result.reason : "no error"));
}

/** Checks that the errors are the gateway's own, have no cause, and show no canary in any printed form. */
function expectClean(errors: readonly unknown[]): void {
  expect(errors).toHaveLength(5);
  for (const error of errors) {
    expect(error).toBeInstanceOf(GatewayError);
    if (!(error instanceof GatewayError)) continue;
    expect([error.cause, error.originalError]).toEqual([undefined, undefined]);
    const prints = [
      JSON.stringify(error),
      inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      String(error.stack),
      JSON.stringify(Object.getOwnPropertyDescriptors(error)),
    ];
    for (const print of prints) {
      expect(holdsCanary(print, "secret") || holdsCanary(print, "password")).toBe(false);
    }
  }
}

describe("An error of the client contains neither the secret nor a password", () => {
  it.each(echoes)("when the upstream repeats the request as %s", async (_, responder) => {
    upstream.respond(responder);
    expectClean(await thrown(upstream.url));
  });

  it.each<[string, Responder]>([
    ["does not respond", () => {}],
    ["stops within the body", (response) => response.writeHead(200).write("{")],
    ["resets the connection", (response) => response.socket?.resetAndDestroy()],
    ["responds with 10 MB", { body: " ".repeat(10_000_000) }],
  ])("when the upstream %s", async (_, responder) => {
    upstream.respond(responder);
    expectClean(await thrown(upstream.url));
  });

  it("when the upstream refuses the connection, or its host does not exist", async () => {
    const gone = await startBrokenUpstream();
    await gone.close();
    expectClean(await thrown(gone.url));
    expectClean(await thrown("http://nowhere.invalid/"));
  });
});

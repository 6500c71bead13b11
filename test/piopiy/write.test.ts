import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { alice, type Behaviour } from "../support/broken-upstream.js";
import { type BrokenGateway, fail, operations, startBrokenGateway, writes } from "./broken-gateway.js";

let broken: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "300" });
});
afterAll(() => broken.close());

const html = "<h1>Something is wrong</h1>";
const unknown: [string, Behaviour][] = [
  ["no answer in time", () => {}],
  ["an answer that stops", (response) => response.writeHead(200).write('{"code":')],
  ["a connection that is cut", (response) => response.destroy()],
  ["HTML with HTTP 200", { body: html }],
  ["HTTP 500", { status: 500, body: html }],
  ["HTTP 502 without JSON", { status: 502, body: html }],
  ["HTTP 504", { status: 504, body: html }],
  ["500 in the body", { body: { code: "cmi-500" } }],
  ["a success that says nothing", { body: { code: "cmi-200" } }],
  ["a redirect", { status: 307, headers: { location: "/elsewhere" }, body: "" }],
  ["10 MB", { body: " ".repeat(10_000_000) }],
];
const busy: [number, Behaviour][] = [
  [429, { status: 429, body: html }],
  [503, { status: 503, body: html }],
  [503, { status: 503, body: { code: 503 } }],
  [429, { body: { code: "cmi-429" } }],
  [503, { body: { code: 503 } }],
];

describe.each(writes)("%s", (operation) => {
  it.each(unknown)("is asked once, and its outcome is unknown, after %s", async (_, behaviour) => {
    broken.upstream.answer(behaviour);
    expect(await fail(broken, operation)).toEqual({ code: "OUTCOME_UNKNOWN", retryable: true, attempts: 1 });
  });

  it.each(busy)("is not begun by an upstream that is busy: %i, %j", async (upstreamCode, behaviour) => {
    broken.upstream.answer(behaviour);
    expect(await fail(broken, operation)).toEqual({
      code: "UPSTREAM_UNAVAILABLE",
      retryable: true,
      upstreamCode,
      attempts: 1,
    });
  });

  it("tells how long a busy upstream wants to be left alone", async () => {
    broken.upstream.answer({ status: 503, headers: { "retry-after": "7" }, body: html });
    expect(await fail(broken, operation)).toMatchObject({ retryAfterMs: 7000, attempts: 1 });
  });

  it("says how to find out when its outcome is unknown", async () => {
    broken.upstream.answer((response) => response.destroy());
    const { errors } = await broken.gateway.ask(operations[operation]);
    expect(errors?.[0]?.message).toBe(
      `PIOPIY's answer to ${operation} was lost, so whether the change was made is not known. Read the endpoint to see.`,
    );
  });
});

describe("A write", () => {
  it("takes what PIOPIY answers over what it sent", async () => {
    const body = { ...alice, username: "Alice", password: "made-up-2" };
    broken.upstream.answer({ body });
    const { data } = await broken.gateway.ask(
      'mutation { createSipEndpoint(input: { username: "alice", password: "made-up-1" }) { password sipEndpoint { username } } }',
    );
    expect(data).toEqual({
      createSipEndpoint: { password: "made-up-2", sipEndpoint: { username: "Alice" } },
    });
    expect(JSON.parse(broken.upstream.calls[0]?.body ?? "")).toEqual({
      appid: 2222223,
      secret: "emulator-secret",
      username: "alice",
      password: "made-up-1",
    });
  });

  it("that failed keeps the mutations after it from being sent", async () => {
    broken.upstream.answer((response) => response.destroy());
    const { errors } = await broken.gateway.ask(
      'mutation { a: removeSipEndpoint(input: { username: "a" }) { username } b: removeSipEndpoint(input: { username: "b" }) { username } }',
    );
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({ path: ["a"], extensions: { code: "OUTCOME_UNKNOWN" } });
    expect(broken.upstream.calls).toHaveLength(1);
  });
});

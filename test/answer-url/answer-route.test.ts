import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { exchange, request } from "../support/http/raw-http.js";

const secret = "made-up-secret-of-an-answer-url-that-is-long";

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: {
      PUBLIC_URL: "https://gateway.example.com",
      ANSWER_URL_SECRET: secret,
      ...apiKeys({ "made-up-key": "sip:read" }),
    },
  });
  const { data } = await gateway.execute<{ connectAction: { answerUrl: string } }>(
    '{ connectAction(input: { call: [{ user: "alice" }] }) { answerUrl } }',
    {},
    bearer("made-up-key"),
  );
  token = data.connectAction.answerUrl.split("/").at(-1) ?? "";
});
afterAll(() => gateway.close());

const post = (path: string, init: RequestInit = {}) =>
  fetch(`${gateway.origin}/answer/${path}`, { method: "POST", ...init });

const json = { "content-type": "application/json" };
const document = [expect.objectContaining({ action: "connect" })];

describe("POST /answer/:token", () => {
  it.each<[string, RequestInit, string | undefined]>([
    [
      "as in the older documents",
      { headers: json, body: '{"from":914471000000,"to":1,"time":1,"cmiuuid":"c-1"}' },
      "c-1",
    ],
    [
      "with strings for numbers",
      { headers: json, body: '{"action":"inbound","from":"91","to":"1","cmiuuid":" c-2 "}' },
      "c-2",
    ],
    ["with caller_id", { headers: json, body: '{"caller_id":"  91447","cmiuid":"c-3"}' }, "c-3"],
    ["of an input action", { headers: json, body: '{"cmuuid":"c-4","dtmf":"1"}' }, "c-4"],
    ["as a form", { body: new URLSearchParams({ cmiuuid: "c-5", from: "91" }) }, "c-5"],
    ["as text", { body: '{"cmiuuid":"c-6"}' }, "c-6"],
    ["without a body", {}, undefined],
    ["of another type", { headers: { "content-type": "application/xml" }, body: "<call/>" }, undefined],
    ["that is not JSON", { headers: json, body: "{" }, undefined],
    ["with an empty type", { headers: { "content-type": "" }, body: '{"cmiuuid":"c-7"}' }, "c-7"],
    ["with an incomplete type", { headers: { "content-type": "json" }, body: '{"cmiuuid":"c-8"}' }, "c-8"],
    ["with an invalid type", { headers: { "content-type": "a b/c; =" }, body: '{"cmiuuid":"c-9"}' }, "c-9"],
    [
      "with two types",
      { headers: { "content-type": "text/plain, a/b" }, body: '{"cmiuuid":"c-10"}' },
      "c-10",
    ],
    [
      "in another charset",
      { headers: { "content-type": "application/json; charset=utf-16" }, body: '{"cmiuuid":"c-11"}' },
      "c-11",
    ],
    ["with an empty type and no body", { headers: { "content-type": "" } }, undefined],
    [
      "that is compressed",
      { headers: { ...json, "content-encoding": "gzip" }, body: gzipSync('{"cmiuuid":"c-12"}') },
      undefined,
    ],
    ["with bytes that are not text", { headers: json, body: new Uint8Array(1000).fill(0xff) }, undefined],
    ["for a client that accepts no JSON", { headers: { accept: "text/html" } }, undefined],
    ["with an id that is not safe to log", { headers: json, body: '{"cmiuuid":"a\\nb"}' }, undefined],
    ["with an id that is not a string", { headers: json, body: '{"cmiuuid":{"a":1}}' }, undefined],
  ])("accepts the webhook %s, without a credential, and logs the call", async (_, init, callId) => {
    const before = gateway.log.length;
    const response = await post(token, init);
    expect([response.status, await response.json()]).toEqual([200, document]);
    const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
    expect(lines.filter(({ msg }) => msg === "call answered")).toEqual([
      callId
        ? expect.objectContaining({ callId })
        : expect.not.objectContaining({ callId: expect.anything() }),
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("returns an empty 404 for every invalid token", async () => {
    const at = fc.nat({ max: token.length - 1 });
    const letter = fc.constantFrom(..."ABCxyz019-_.");
    await fc.assert(
      fc.asyncProperty(at, letter, async (place, replacement) => {
        const changed = token.slice(0, place) + replacement + token.slice(place + 1);
        const response = await post(changed);
        expect([response.status, await response.text()]).toEqual(
          changed === token ? [200, expect.anything()] : [404, ""],
        );
      }),
      { seed: 6, numRuns: 300 },
    );
  });

  it.each([
    "a",
    "a.b",
    ".",
    "...",
    "%00",
    "eyJhIjoxfQ.AAAA",
    `${"A".repeat(3000)}.B`,
  ])("returns 404 for %s", async (wrong) => {
    expect((await post(wrong)).status).toBe(404);
  });

  it("rejects a large body, and repeats no part of a request", async () => {
    const body = "canary".repeat(10_000);
    const large = await post(token, { body });
    expect([large.status, await large.text()]).toEqual([413, ""]);
    const odd = await post("canary.canary", { headers: json, body: '{"cmiuuid":"canary"}' });
    expect(await odd.text()).not.toContain("canary");
  });

  it("accepts any body and any content type", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 500 }),
        fc.constantFrom(
          "application/json",
          "text/plain",
          "a/b",
          "multipart/form-data",
          "",
          "json",
          "/",
          "a b/c",
        ),
        async (body, type) => {
          const response = await post(token, { body, headers: { "content-type": type } });
          expect(response.status).toBe(200);
        },
      ),
      { seed: 7, numRuns: 500 },
    );
    expect((await post(token)).status).toBe(200);
  });

  it("limits the requests of one address", async () => {
    // Pipelined, so that they come within one minute on a busy machine too.
    const last = request("{}", json, "POST /answer/a.b");
    const hundred = last.replace("connection: close\r\n", "").repeat(99) + last;
    const responses = await Promise.all(Array.from({ length: 70 }, () => exchange(gateway.origin, hundred)));
    expect(new Set(responses.flat().map(({ status }) => status))).toEqual(new Set([404, 429]));
  });
});

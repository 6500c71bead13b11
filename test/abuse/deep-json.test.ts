import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { send, withGateway } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
afterEach(() => {
  expect(gateway.log.filter((line) => JSON.parse(line).level >= 40)).toEqual([]);
});

const validate = "query ($v: PCMO!) { validatePcmo(pcmo: $v) { valid } }";
const entities = "query ($v: [_Any!]!) { _entities(representations: $v) { __typename } }";
const lists = (depth: number, inner = "") => "[".repeat(depth) + inner + "]".repeat(depth);
const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const mixed = (depth: number) => `${'[{"a":'.repeat(depth / 2)}1${"}]".repeat(depth / 2)}`;
const preflight = { "apollo-require-preflight": "1" };

const sendBody = (body: string, type = "application/json") =>
  send(`${gateway.origin}/graphql`, { method: "POST", headers: { "content-type": type }, body });
/** Sends a value as a variable, at the second level of the body. */
const sendValue = (value: string, query = validate) =>
  sendBody(`{"query":${JSON.stringify(query)},"variables":{"v":${value}}}`);
const get = (parameters: Record<string, string>) =>
  send(`${gateway.origin}/graphql?${new URLSearchParams(parameters)}`, { headers: preflight });

const refusal = [{ extensions: { code: "BAD_REQUEST", limit: "JSON_DEPTH", maximum: 64 } }];

describe("JSON of 64 levels is accepted:", () => {
  it.each([
    ["lists", lists(62)],
    ["objects", objects(62)],
    ["both", mixed(62)],
    ["brackets in texts", JSON.stringify(`${"[{".repeat(9000)}\\"`)],
    ["quotes and backslashes in texts", JSON.stringify('\\"[\\\\"{'.repeat(900))],
    ["many shallow lists", `[${"[],".repeat(9000)}[]]`],
  ])("%s in a body", async (_, value) => {
    expect((await sendValue(value)).errors).toBeUndefined();
  });

  it("in a URL parameter", async () => {
    const variables = `{"v":${lists(63)}}`;
    expect((await get({ query: validate, variables })).errors).toBeUndefined();
  });
});

describe("JSON of more than 64 levels is rejected with status 422 and the limit:", () => {
  it.each([
    ["lists", lists],
    ["objects", objects],
    ["both", mixed],
    ["lists that are not closed", (depth: number) => "[".repeat(depth)],
  ])("%s in a body", async (_, nest) => {
    for (const depth of [64, 3000, 6000, 14_000]) {
      const { status, errors } = await sendValue(nest(depth));
      expect([depth, status]).toEqual([depth, 422]);
      expect(errors).toMatchObject(refusal);
    }
  });

  it.each([
    ["a body that is a list", lists(65)],
    ["extensions", `{"query":"{ __typename }","extensions":${lists(6000)}}`],
    ["a query", `{"query":${lists(6000)}}`],
    ["an unknown member", `{"query":"{ __typename }","more":${objects(6000)}}`],
    ["a level after a text with a bracket", `{"query":"]]]]","variables":{"v":${lists(63)}}}`],
    ["a level after an escaped quote", `{"query":"\\"]]]]","variables":{"v":${lists(63)}}}`],
  ])("%s", async (_, body) => {
    const { status, errors } = await sendBody(body);
    expect(status).toBe(422);
    expect(errors).toMatchObject(refusal);
  });

  it("a reference", async () => {
    const reference = `[{"__typename":"SipEndpoint","username":${lists(6000)}}]`;
    expect((await sendValue(reference, entities)).errors).toMatchObject(refusal);
  });

  it.each(["variables", "extensions"])("the URL parameter %s", async (name) => {
    for (const depth of [64, 1000]) {
      const { status, errors } = await get({ query: "{ __typename }", [name]: `{"v":${lists(depth)}}` });
      expect(status).toBe(422);
      expect(errors).toMatchObject(refusal);
    }
  });

  it("a content type with parameters", async () => {
    const { errors } = await sendBody(lists(6000), "application/json; charset=utf-8");
    expect(errors).toMatchObject(refusal);
  });
});

describe("JSON with a forged prototype is still rejected", () => {
  it.each([
    '{"query":"{__typename}","__proto__":{}}',
    '{"query":"a","constructor":{"prototype":{}}}',
  ])("%s", async (body) => {
    const { status, errors } = await sendBody(body);
    expect(status).toBe(400);
    expect(errors?.[0]?.message).toMatch(/not valid JSON/);
  });
});

describe("A value in a document", () => {
  const argument = (value: string) => `{ validatePcmo(pcmo: ${value}) { valid } }`;
  const literals = (depth: number) => `${"{a:".repeat(depth)}1${"}".repeat(depth)}`;

  it("is accepted with 64 levels", async () => {
    expect((await gateway.execute(argument(lists(64)))).errors).toBeUndefined();
    expect((await gateway.execute(argument(literals(64)))).errors).toBeUndefined();
  });

  it.each([
    ["lists", argument(lists(65))],
    ["objects", argument(literals(65))],
    ["lists in objects", argument(`${"{a:[".repeat(33)}${"]}".repeat(33)}`)],
    ["many lists", argument(lists(900))],
    ["a default", `query ($v: PCMO = ${lists(65)}) { validatePcmo(pcmo: $v) { valid } }`],
    ["a directive", `{ __typename @skip(if: ${lists(65)}) }`],
  ])("is rejected with more levels: %s", async (_, query) => {
    const { data, errors } = await gateway.execute(query);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([
      { extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "JSON_DEPTH", maximum: 64 } },
    ]);
  });
});

describe("A deeply nested document, with large MAX_TOKENS and MAX_DEPTH", () => {
  const shapes: Record<string, (depth: number) => string> = {
    fields: (depth) => `${"{a".repeat(depth)}${"}".repeat(depth)}`,
    "fields that are not closed": (depth) => "{a".repeat(depth),
    fragments: (depth) => `{${"...{".repeat(depth)}__typename${"}".repeat(depth)}}`,
    lists: (depth) => `{ validatePcmo(pcmo: ${lists(depth)}) { valid } }`,
    objects: (depth) => `{ validatePcmo(pcmo: ${"{a:".repeat(depth)}1${"}".repeat(depth)}) { valid } }`,
    types: (depth) => `query ($v: ${lists(depth, "ID")}) { __typename }`,
    "fields after texts with brackets": (depth) => `${'{a(b:"}}}")'.repeat(depth)}${"}".repeat(depth)}`,
    "fields after comments with brackets": (depth) => `${"{a#}}}\n".repeat(depth)}${"}".repeat(depth)}`,
  };
  it.each(Object.entries(shapes))("is rejected without an internal error: %s", async (_, nest) => {
    const settings = {
      MAX_TOKENS: "1000000",
      MAX_DEPTH: "1000",
      MAX_BODY_BYTES: "1000000",
      LOG_LEVEL: "warn",
    };
    await withGateway(settings, async ({ execute, log }) => {
      for (const depth of [1000, 1190, 1500, 2000, 2500, 3000, 6000, 9000]) {
        const { status, errors } = await execute(nest(depth));
        expect([depth, status < 500]).toEqual([depth, true]);
        const code = errors?.[0]?.extensions.code;
        if (depth > 1200) expect([depth, code]).toEqual([depth, "GRAPHQL_PARSE_FAILED"]);
        else expect([undefined, "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"]).toContain(code);
      }
      expect(log).toEqual([]);
    });
  });
});

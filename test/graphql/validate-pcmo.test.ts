import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const query = `query ($pcmo: PCMO!) {
  validatePcmo(pcmo: $pcmo) { valid problems { pointer code severity message } description normalized }
}`;

interface Report {
  readonly validatePcmo: {
    readonly valid: boolean;
    readonly problems: readonly Record<string, string>[];
    readonly description: readonly string[];
    readonly normalized: unknown;
  };
}

describe("Query.validatePcmo", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset());

  const pcmo = [
    { action: "play", file_name: "welcome.mp3" },
    { action: "connect", connect: [{ type: "sip", user: "alice" }], timeout: 20, from: 914471000000 },
  ];

  it("describes and normalizes a document, without an upstream request", async () => {
    const { data, errors } = await gateway.execute<Report>(query, { pcmo });
    expect(errors).toBeUndefined();
    expect(data.validatePcmo).toEqual({
      valid: true,
      problems: [],
      description: [
        "Plays welcome.mp3.",
        "Rings alice for 20 seconds, with the caller id 914471000000; the conversation can last up to 1 hour 30 minutes.",
      ],
      normalized: expect.anything(),
    });
    expect(JSON.stringify(data.validatePcmo.normalized)).toBe(
      '[{"action":"play","file_name":"welcome.mp3"},' +
        '{"action":"connect","timeout":20,"from":914471000000,"call":[{"type":"sip","user":"alice"}]}]',
    );
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("returns all problems of a document as data", async () => {
    const broken = [{ action: "connect", timeout: "20", call: [{ type: "sip", user: "a\nb" }] }, 1];
    const { status, data, errors } = await gateway.execute<Report>(query, { pcmo: broken });
    expect([status, errors]).toEqual([200, undefined]);
    const severity = "ERROR";
    expect(data.validatePcmo).toEqual({
      valid: false,
      problems: [
        {
          pointer: "/0/timeout",
          code: "NUMBER_AS_TEXT",
          severity,
          message: '`timeout` must be a whole number from 1 to 600 (got "20"). Remove the quotes.',
        },
        {
          pointer: "/0/call/0/user",
          code: "INVALID_USERNAME",
          severity,
          message: '`user` must be a non-empty string without control characters (got "a\\nb").',
        },
        { pointer: "/1", code: "WRONG_TYPE", severity, message: "An action must be an object (got 1)." },
      ],
      description: [],
      normalized: null,
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("accepts a literal document that contains variables", async () => {
    const literal = `query ($user: ID!) {
      validatePcmo(pcmo: [{ action: "connect", from: 914471000000, record: true, call: [{ type: "sip", user: $user }] }]) {
        valid problems { pointer code severity } normalized
      }
    }`;
    const { data, errors } = await gateway.execute<Report>(literal, { user: "bob" });
    expect(errors).toBeUndefined();
    expect(data.validatePcmo).toEqual({
      valid: true,
      problems: [{ pointer: "/0/record", code: "UNDOCUMENTED_KEY", severity: "WARNING" }],
      normalized: [
        { action: "connect", from: 914471000000, record: true, call: [{ type: "sip", user: "bob" }] },
      ],
    });
  });

  it.each<[unknown, string]>([
    ["hangup", " WRONG_TYPE"],
    [7, " WRONG_TYPE"],
    [{ action: "hangup" }, " WRONG_TYPE"],
    [[], " NO_ACTIONS"],
  ])("validates any JSON: %j", async (pcmo, problem) => {
    const { data, errors } = await gateway.execute<Report>(query, { pcmo });
    expect(errors).toBeUndefined();
    expect(data.validatePcmo.problems.map(({ pointer, code }) => `${pointer} ${code}`)).toEqual([problem]);
  });

  it("warns of a user that looks like a SIP URI, and describes the document", async () => {
    const pcmo = [{ action: "connect", call: [{ type: "sip", user: "sip:alice:made-up@sbc.example" }] }];
    const { data } = await gateway.execute<Report>(query, { pcmo });
    expect(data.validatePcmo).toMatchObject({
      valid: true,
      problems: [
        {
          pointer: "/0/call/0/user",
          code: "SIP_URI_AS_USERNAME",
          severity: "WARNING",
          message:
            'This user looks like a SIP URI, but PIOPIY rings a SIP endpoint by its username. Use "alice".',
        },
      ],
      normalized: pcmo,
    });
  });

  it.each<[unknown, string]>([
    [{ action: "hangup" }, "Put the object in square brackets."],
    [{ pcmo: [{ action: "hangup" }] }, 'Remove the key "pcmo" with its braces.'],
    ['[{"action":"hangup"}]', "Remove the quotes around the JSON."],
    [
      JSON.stringify('[{"action":"hangup"}]'),
      "Remove the quotes around the JSON and the quotes and backslashes inside them.",
    ],
  ])("says how to turn a value into the list: %j", async (pcmo, advice) => {
    const { data } = await gateway.execute<Report>(query, { pcmo });
    const [{ message = "" } = {}, ...others] = data.validatePcmo.problems;
    expect(message).toMatch(/^A PCMO document must be a list of actions \(got .*\)\. /);
    expect(message.endsWith(`). ${advice}`)).toBe(true);
    expect(others).toEqual([]);
  });

  it("accepts the examples of the schema's descriptions as they are, in a query and in variables", async () => {
    const { data: schema } = await gateway.execute<{
      scalar: { description: string };
      query: { fields: { name: string; args: { description: string }[] }[] };
    }>(`{
      scalar: __type(name: "PCMO") { description }
      query: __type(name: "Query") { fields { name args { name description } } }
    }`);
    const field = schema.query.fields.find(({ name }) => name === "validatePcmo");
    const descriptions = [
      schema.scalar.description,
      ...(field?.args ?? []).map(({ description }) => description),
    ];
    expect(descriptions).toHaveLength(2);
    for (const description of descriptions) {
      const [literal = "", json = "", ...others] = Array.from(
        description.matchAll(/`(\[[^`]*\])`/g),
        ([, example]) => example,
      );
      expect(others).toEqual([]);
      const inQuery = await gateway.execute<Report>(
        `{ validatePcmo(pcmo: ${literal}) { valid problems { message } normalized } }`,
      );
      const inVariables = await gateway.execute<Report>(query, { pcmo: JSON.parse(json) });
      expect(inQuery).toMatchObject({ status: 200, data: { validatePcmo: { valid: true, problems: [] } } });
      expect(inQuery.data.validatePcmo.normalized).toEqual(JSON.parse(json));
      expect(inVariables.data.validatePcmo).toMatchObject({ valid: true, problems: [] });
    }
  });

  it("reports `__proto__` as an unknown key", async () => {
    const literal =
      '{ validatePcmo(pcmo: [{ action: "hangup", __proto__: { a: 1 } }]) { problems { pointer code } } }';
    const { data } = await gateway.execute<Report>(literal);
    expect(data.validatePcmo.problems).toEqual([{ pointer: "/0/__proto__", code: "UNKNOWN_KEY" }]);
  });

  it("requires a document", async () => {
    const { errors } = await gateway.execute(query, { pcmo: null });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
  });

  it("returns at most 101 problems", async () => {
    const pcmo = Array.from({ length: 10_000 }, () => 0);
    const { data } = await gateway.execute<Report>(query, { pcmo });
    expect(data.validatePcmo.problems).toHaveLength(101);
    expect(data.validatePcmo.problems.at(-1)).toMatchObject({ pointer: "", code: "MORE_PROBLEMS" });
  });
});

describe("Query.validatePcmo with PCMO_TARGETS_KEY=connect", () => {
  it("normalizes to the key of PIOPIY's SDK", async () => {
    const gateway = await startGateway({ gateway: { PCMO_TARGETS_KEY: "connect" } });
    try {
      const call = [{ type: "sip", user: "alice" }];
      const { data } = await gateway.execute<Report>(query, { pcmo: [{ action: "connect", call }] });
      expect(data.validatePcmo.normalized).toEqual([{ action: "connect", connect: call }]);
    } finally {
      await gateway.close();
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

interface Data {
  readonly connectAction: {
    readonly pcmo: readonly { readonly from?: number }[] | null;
    readonly userErrors: readonly { readonly code: string; readonly path: readonly string[] }[];
  };
}

const SELECTION = "{ pcmo userErrors { code path } }";
const byVariable = `query ($from: PiopiyPhoneNumber) {
  connectAction(input: { call: [{ user: "alice" }], from: $from }) ${SELECTION}
}`;
const byInput = `query ($input: ConnectActionInput!) { connectAction(input: $input) ${SELECTION} }`;
const byLiteral = (literal: string) =>
  `{ connectAction(input: { call: [{ user: "alice" }], from: ${literal} }) ${SELECTION} }`;

describe("A PiopiyPhoneNumber", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  /** Sends the number as a literal, as a variable and inside a variable. JSON and GraphQL have the same syntax for these values. */
  async function executeThrice(from: string | number) {
    return Promise.all([
      gateway.execute<Data>(byLiteral(JSON.stringify(from))),
      gateway.execute<Data>(byVariable, { from }),
      gateway.execute<Data>(byInput, { input: { call: [{ user: "alice" }], from } }),
    ]);
  }

  it.each<[string | number, number]>([
    ["914471000000", 914471000000],
    ["+914471000000", 914471000000],
    [914471000000, 914471000000],
    [1000000, 1000000],
    ["1000000", 1000000],
    ["+1234567", 1234567],
    [999999999999999, 999999999999999],
    ["999999999999999", 999999999999999],
    ["+999999999999999", 999999999999999],
  ])("may be %j", async (from, expected) => {
    for (const { data, errors } of await executeThrice(from)) {
      expect(errors).toBeUndefined();
      expect(data.connectAction.userErrors).toEqual([]);
      expect(data.connectAction.pcmo?.[0]?.from).toBe(expected);
    }
  });

  it.each<string | number>([
    "",
    " ",
    "+",
    "alice",
    "123456",
    123456,
    0,
    -914471000000,
    "-914471000000",
    "0914471000000",
    "+0914471000000",
    "++914471000000",
    "00914471000000",
    "91 4471 000000",
    "91-4471-000000",
    "914471000000 ",
    "914471000000\n",
    "914471000000.0",
    "9.14471e11",
    "tel:+914471000000",
    "٩١٤٤٧١٠٠٠٠٠٠",
    "９１４４７１００００００",
    "9999999999999999",
    1e15,
    Number.MAX_SAFE_INTEGER,
    "9".repeat(400),
  ])("is a user error as %j", async (from) => {
    for (const { data, errors } of await executeThrice(from)) {
      expect(errors).toBeUndefined();
      expect(data.connectAction).toEqual({
        pcmo: null,
        userErrors: [{ code: "INVALID_PHONE_NUMBER", path: ["from"] }],
      });
    }
  });

  it("is a user error as a whole number that JSON.parse would round", async () => {
    const { data, errors } = await gateway.execute<Data>(byLiteral("9".repeat(400)));
    expect(errors).toBeUndefined();
    expect(data.connectAction.userErrors).toEqual([{ code: "INVALID_PHONE_NUMBER", path: ["from"] }]);
  });

  it.each([
    "9007199254740992",
    "9007199254740993",
    "123456789012345680000",
  ])("is a user error as the exact literal %s", async (literal) => {
    const { data, errors } = await gateway.execute<Data>(byLiteral(literal));
    expect(errors).toBeUndefined();
    expect(data.connectAction.userErrors).toEqual([{ code: "INVALID_PHONE_NUMBER", path: ["from"] }]);
  });

  it.each([
    "9144.5",
    "9.14471e11",
    "true",
    "ALICE",
    '["914471000000"]',
    '{ number: "914471000000" }',
  ])("is rejected by GraphQL as the literal %s", async (literal) => {
    const { data, errors } = await gateway.execute(byLiteral(literal));
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ extensions: { code: "GRAPHQL_VALIDATION_FAILED", retryable: false } }]);
  });

  it.each([
    9144.5,
    Number.MAX_SAFE_INTEGER + 1,
    123456789012345680000,
    true,
    ["914471000000"],
    { number: "914471000000" },
  ])("is rejected by GraphQL as the variable %j", async (from) => {
    const responses = [
      await gateway.execute(byVariable, { from }),
      await gateway.execute(byInput, { input: { call: [{ user: "alice" }], from } }),
    ];
    for (const { data, errors } of responses) {
      expect(data).toBeUndefined();
      expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT", retryable: false } }]);
      expect(errors?.[0]?.message).toContain("PiopiyPhoneNumber");
    }
  });

  it("may be omitted or null", async () => {
    const responses = [
      await gateway.execute<Data>(byLiteral("null")),
      await gateway.execute<Data>(byVariable, { from: null }),
      await gateway.execute<Data>(byVariable),
    ];
    for (const { data } of responses) {
      expect(data.connectAction.userErrors).toEqual([]);
      expect(Object.keys(data.connectAction.pcmo?.[0] ?? {})).not.toContain("from");
    }
  });
});

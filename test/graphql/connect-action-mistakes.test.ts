import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ConnectActionDocument, type ConnectActionInput } from "../generated/graphql.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

describe("Query.connectAction", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  afterEach(async () => {
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  async function connect(input: Partial<ConnectActionInput>) {
    const complete = { call: [{ user: "alice" }], ...input };
    const { data, errors } = await gateway.execute(ConnectActionDocument, { input: complete });
    expect(errors).toBeUndefined();
    return data.connectAction;
  }

  const users = (count: number) => Array.from({ length: count }, (_, index) => ({ user: `u${index}` }));

  it("reports all problems of an input together, each with its path", async () => {
    const { pcmo, userErrors } = await connect({
      call: [
        { user: "alice" },
        { user: "" },
        { user: "a\tb" },
        { user: "alice" },
        { user: "bob" },
        { user: "" },
      ],
      from: "12",
      timeout: 0,
      duration: 86_401,
      loop: 11,
    });
    expect(pcmo).toBeNull();
    expect(userErrors.map(({ code, path }) => [code, ...path])).toEqual([
      ["INVALID_USERNAME", "call", "1", "user"],
      ["INVALID_USERNAME", "call", "2", "user"],
      ["DUPLICATE_TARGET", "call", "3", "user"],
      ["INVALID_USERNAME", "call", "5", "user"],
      ["INVALID_PHONE_NUMBER", "from"],
      ["OUT_OF_RANGE", "timeout"],
      ["OUT_OF_RANGE", "duration"],
      ["OUT_OF_RANGE", "loop"],
    ]);
    for (const { message } of userErrors) expect(message).toMatch(/^\S.*\.$/);
  });

  it.each([1, 2, 99, 100])("rings %i targets", async (count) => {
    const { pcmo, userErrors } = await connect({ call: users(count) });
    expect(userErrors).toEqual([]);
    expect(pcmo).toEqual([
      expect.objectContaining({ call: users(count).map(({ user }) => ({ type: "sip", user })) }),
    ]);
  });

  it("requires at least one target", async () => {
    expect(await connect({ call: [] })).toMatchObject({
      pcmo: null,
      userErrors: [{ code: "NO_TARGETS", path: ["call"] }],
    });
  });

  it.each([101, 1000])("rejects %i targets with one problem, valid or not", async (count) => {
    const problem = {
      code: "TOO_MANY_TARGETS",
      path: ["call"],
      message: expect.stringContaining(`${count}`),
    };
    expect(await connect({ call: users(count) })).toEqual({ pcmo: null, userErrors: [problem] });
    const bad = Array.from({ length: count }, () => ({ user: "" }));
    expect(await connect({ call: bad })).toEqual({ pcmo: null, userErrors: [problem] });
  });

  it("reports each repetition of a user, and distinguishes users by case", async () => {
    const call = ["a", "b", "a", "A", "b", "a"].map((user) => ({ user }));
    const { userErrors } = await connect({ call });
    expect(userErrors.map(({ code, path }) => [code, path[1]])).toEqual([
      ["DUPLICATE_TARGET", "2"],
      ["DUPLICATE_TARGET", "4"],
      ["DUPLICATE_TARGET", "5"],
    ]);
  });

  it.each([
    "",
    "a\t",
    "a\n",
    "\u0000",
    "a\u007f",
    "a\u0085b",
    " ".repeat(257),
  ])("rejects the user %j", async (user) => {
    const { pcmo, userErrors } = await connect({ call: [{ user: "alice" }, { user }] });
    expect(pcmo).toBeNull();
    expect(userErrors).toMatchObject([{ code: "INVALID_USERNAME", path: ["call", "1", "user"] }]);
  });

  it.each([
    " ",
    "a b",
    " a",
    "a ",
    "a\u00a0b",
    "a\u3000b",
    "a\u2028b",
  ])("rings an endpoint with the name %j", async (user) => {
    const { pcmo, userErrors } = await connect({ call: [{ user }] });
    expect(userErrors).toEqual([]);
    expect(pcmo).toMatchObject([{ call: [{ type: "sip", user }] }]);
  });

  it.each([
    ["timeout", 600],
    ["duration", 86_400],
    ["loop", 10],
  ] as const)("accepts a %s of 1 to %i", async (field, maximum) => {
    for (const value of [1, 2, maximum - 1, maximum]) {
      const { pcmo, userErrors } = await connect({ [field]: value });
      expect(userErrors).toEqual([]);
      expect(pcmo).toMatchObject([{ [field]: value }]);
    }
    for (const value of [-2_147_483_648, -1, 0, maximum + 1, 2_147_483_647]) {
      const { pcmo, userErrors } = await connect({ [field]: value });
      expect(pcmo).toBeNull();
      expect(userErrors).toEqual([
        {
          code: "OUT_OF_RANGE",
          path: [field],
          message: expect.stringMatching(
            `^\`${field}\` must be between 1 and ${maximum} .* \\(got ${value}\\)\\.$`,
          ),
        },
      ]);
    }
  });
});

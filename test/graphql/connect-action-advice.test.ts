import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterEach(() => gateway.reset());
afterAll(() => gateway.close());

interface Connected {
  connectAction: {
    pcmo: unknown;
    summary: string | null;
    warnings: { code: string; message: string; path: string[] }[];
    userErrors: { code: string; path: string[] }[];
  };
}

async function connect(
  input: Record<string, unknown>,
  verify?: boolean,
): Promise<Connected["connectAction"]> {
  const query = `query ($input: ConnectActionInput!, $verify: Boolean) {
    connectAction(input: $input, verify: $verify) { pcmo summary warnings { code message path } userErrors { code path } }
  }`;
  const { data, errors } = await gateway.execute<Connected>(query, { input, verify });
  expect(errors).toBeUndefined();
  return data.connectAction;
}

const to = (...users: string[]) => users.map((user) => ({ user }));

describe("connectAction(verify: true)", () => {
  it("reports every target that PIOPIY does not have, from one parallel read per target, and builds no document", async () => {
    const result = await connect({ call: to("alice", "nobody", "bob", "ghost") }, true);
    expect(result).toMatchObject({ pcmo: null, summary: null });
    expect(result.userErrors).toEqual([
      { code: "SIP_ENDPOINT_NOT_FOUND", path: ["call", "1", "user"] },
      { code: "SIP_ENDPOINT_NOT_FOUND", path: ["call", "3", "user"] },
    ]);
    const requests = await gateway.upstreamRequests();
    expect(requests.map(({ operation, username }) => [operation, username]).sort()).toEqual(
      ["alice", "bob", "ghost", "nobody"].map((name) => ["get_sip", name]),
    );
  });

  it("reports missing targets together with other problems, and does not read invalid targets", async () => {
    const result = await connect({ call: to("a\tb", "nobody", "nobody"), timeout: 0 }, true);
    expect(result.userErrors.map(({ code, path }) => `${code} ${path.join("/")}`)).toEqual([
      "INVALID_USERNAME call/0/user",
      "DUPLICATE_TARGET call/2/user",
      "OUT_OF_RANGE timeout",
      "SIP_ENDPOINT_NOT_FOUND call/1/user",
    ]);
    expect(await gateway.upstreamRequests()).toHaveLength(1);
  });

  it("sends no upstream request for an invalid list of targets", async () => {
    await connect({ call: to(...Array.from({ length: 101 }, (_, n) => `u${n}`)) }, true);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("finds targets with spaces in their names", async () => {
    await gateway.reset({ endpoints: [{ username: "front desk" }] });
    const { userErrors } = await connect({ call: to("front desk", "front  desk") }, true);
    expect(userErrors).toMatchObject([{ code: "SIP_ENDPOINT_NOT_FOUND", path: ["call", "1", "user"] }]);
  });

  it("names the username to use when PIOPIY does not have a target that looks like a SIP URI", async () => {
    const query = `query ($input: ConnectActionInput!) {
      connectAction(input: $input, verify: true) { userErrors { code message path } }
    }`;
    const { data } = await gateway.execute(query, { input: { call: to("sip:alice:made-up@sbc.example") } });
    expect(data).toEqual({
      connectAction: {
        userErrors: [
          {
            code: "SIP_ENDPOINT_NOT_FOUND",
            message:
              "PIOPIY has no SIP endpoint with this username. This user looks like a SIP URI, but PIOPIY rings a SIP endpoint by its " +
              'username. Use "alice".',
            path: ["call", "0", "user"],
          },
        ],
      },
    });
  });

  it("warns of a target that looks like a SIP URI also when PIOPIY has it", async () => {
    await gateway.reset({ endpoints: [{ username: "alice@home" }] });
    const { warnings, userErrors, pcmo } = await connect({ call: to("alice@home") }, true);
    expect([warnings, userErrors]).toMatchObject([[{ code: "SIP_URI_AS_USERNAME" }], []]);
    expect(pcmo).toMatchObject([{ call: [{ user: "alice@home" }] }]);
  });

  it("warns of a video call to an endpoint without video support", async () => {
    await gateway.reset({ endpoints: [{ username: "alice" }, { username: "carol", video: false }] });
    const { warnings, pcmo } = await connect(
      { call: to("alice", "carol"), callType: "VIDEO", timeout: 20 },
      true,
    );
    expect(warnings).toMatchObject([{ code: "VIDEO_UNAVAILABLE", path: ["call", "1", "user"] }]);
    expect(pcmo).not.toBeNull();
  });

  it.each([undefined, false])("is off with %j: sends no upstream request", async (verify) => {
    expect((await connect({ call: to("nobody") }, verify)).userErrors).toEqual([]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("The warnings of connectAction", () => {
  it.each<[string, Record<string, unknown>, [string, string][]]>([
    ["nothing for a usual input", { call: to("alice", "bob") }, []],
    [
      "of two usernames that differ in case",
      { call: to("alice", "Alice") },
      [["SIMILAR_TARGETS", "call/1/user"]],
    ],
    [
      "of usernames that look like SIP URIs",
      { call: to("sip:alice@sbc.example", "bob", "carol@home") },
      [
        ["SIP_URI_AS_USERNAME", "call/0/user"],
        ["SIP_URI_AS_USERNAME", "call/2/user"],
      ],
    ],
    [
      "of ringing one after another for more than 120 seconds",
      { call: to("a", "b", "c"), timeout: 41 },
      [["LONG_RINGING", "timeout"]],
    ],
    [
      "of ringing at the same time for more than 120 seconds",
      { call: to("a", "b", "c"), ringType: "GROUP", timeout: 41, loop: 3 },
      [["LONG_RINGING", "timeout"]],
    ],
    ["nothing for 120 seconds of ringing", { call: to("a", "b", "c"), timeout: 40 }, []],
    [
      "of a timeout below the range of the newer API",
      { call: to("a"), timeout: 4 },
      [["OUTSIDE_NEWER_RANGE", "timeout"]],
    ],
    [
      "of a duration above the range of the newer API",
      { call: to("a"), duration: 7201 },
      [["OUTSIDE_NEWER_RANGE", "duration"]],
    ],
    [
      "of a duration below the range of the newer API",
      { call: to("a"), duration: 9 },
      [["OUTSIDE_NEWER_RANGE", "duration"]],
    ],
  ])("warn %s", async (_, input, expected) => {
    const { warnings, pcmo, userErrors } = await connect(input);
    expect(warnings.map(({ code, path }) => [code, path.join("/")])).toEqual(expected);
    expect([pcmo !== null, userErrors]).toEqual([true, []]);
  });

  it("name the username of a SIP URI, and contain no password", async () => {
    const { warnings } = await connect({ call: to("sip:front%20desk:made-up@sbc.example") });
    expect(warnings).toEqual([
      {
        code: "SIP_URI_AS_USERNAME",
        message:
          'This user looks like a SIP URI, but PIOPIY rings a SIP endpoint by its username. Use "front desk".',
        path: ["call", "0", "user"],
      },
    ]);
  });

  it("are empty for an invalid input", async () => {
    expect((await connect({ call: to("a", "A"), timeout: 0 })).warnings).toEqual([]);
  });
});

describe("The summary of connectAction", () => {
  it.each<[Record<string, unknown>, string]>([
    [{ call: to("alice") }, "Rings alice for 40 seconds; the conversation can last up to 1 hour 30 minutes."],
    [
      { call: to("alice", "bob"), ringType: "GROUP", timeout: 20, duration: 600, from: "+914471000000" },
      "Rings alice and bob at the same time for 20 seconds, with the caller id 914471000000; the conversation can last up to 10 minutes.",
    ],
    [
      { call: to("a", "b", "c"), timeout: 1, duration: 3600, loop: 2, callType: "VIDEO" },
      "Rings a, b and c one after another for 1 second each, up to 2 times, with video; the conversation can last up to 1 hour.",
    ],
    [
      { call: to("a", "b", "c", "d", "e", "f", "g") },
      "Rings a, b, c and 4 more one after another for 40 seconds each; the conversation can last up to 1 hour 30 minutes.",
    ],
  ])("is one sentence: %j", async (input, sentence) => {
    expect((await connect(input)).summary).toBe(sentence);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { createMany, passwordsAtPiopiy, usernames } from "./many-endpoints.js";

const GENERATED = /^[A-HJ-NP-Za-kmnp-z2-9]{22}$/;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1" }] }));

const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);
const ok = { userErrors: [], error: null };

describe("Mutation.createSipEndpoints", () => {
  it("returns one result per item in the order of the items, with one upstream request each", async () => {
    const items = [
      { username: "erin", password: "made-up 2" },
      { username: "frank" },
      { username: "grace", password: null },
    ];
    const { status, errors, payload } = await createMany(gateway, { items });
    expect([status, errors]).toEqual([200, undefined]);
    const generated = expect.stringMatching(GENERATED);
    const endpoint = (username: string) => ({ id: idOf(username), username });
    expect(payload).toEqual({
      results: [
        { username: "erin", sipEndpoint: endpoint("erin"), password: "made-up 2", ...ok },
        { username: "frank", sipEndpoint: endpoint("frank"), password: generated, ...ok },
        { username: "grace", sipEndpoint: endpoint("grace"), password: generated, ...ok },
      ],
      created: 3,
      existing: 0,
      failed: 0,
      userErrors: [],
    });
    expect(await operations()).toEqual(["add_sip", "add_sip", "add_sip"]);
    const returned = payload.results.map(({ username, password }) => [username, password]);
    expect(await passwordsAtPiopiy(gateway)).toEqual({ alice: "made-up-1", ...Object.fromEntries(returned) });
  });

  it("returns all fields of the new endpoints without further upstream requests", async () => {
    const { data, errors } = await gateway.execute<{
      createSipEndpoints: { results: { sipEndpoint: unknown }[] };
    }>(`mutation {
      createSipEndpoints(input: { items: [{ username: "erin", password: "made-up-2" }] }) {
        results { sipEndpoint { username password connectUrl sipUri audio video type } }
      }
    }`);
    expect(errors).toBeUndefined();
    expect(data.createSipEndpoints.results[0]?.sipEndpoint).toEqual({
      username: "erin",
      password: "made-up-2",
      connectUrl: "sbc.emulator.example",
      sipUri: "sip:erin@sbc.emulator.example",
      audio: true,
      video: true,
      type: "SIP",
    });
    expect(await operations()).toEqual(["add_sip"]);
  });

  it("creates 200 endpoints in one mutation", async () => {
    const { payload, extensions } = await createMany(gateway, {
      items: usernames(200).map((username) => ({ username })),
    });
    expect(payload).toMatchObject({ created: 200, existing: 0, failed: 0, userErrors: [] });
    expect(payload.results.map(({ username }) => username)).toEqual(usernames(200));
    const returned = Object.fromEntries(
      payload.results.map(({ username, password }) => [username, password]),
    );
    expect(await passwordsAtPiopiy(gateway)).toEqual({ alice: "made-up-1", ...returned });
    expect(new Set(Object.values(returned)).size).toBe(200);
    expect(extensions?.cost?.requested).toBe(201);
  });

  it("counts an endpoint that exists as existing, reports USERNAME_TAKEN and creates the others", async () => {
    const { payload } = await createMany(gateway, { items: [{ username: "alice" }, { username: "erin" }] });
    expect(payload).toMatchObject({ created: 1, existing: 1, failed: 0, userErrors: [] });
    expect(payload.results[0]).toEqual({
      username: "alice",
      sipEndpoint: null,
      password: null,
      userErrors: [
        {
          code: "USERNAME_TAKEN",
          message: 'The SIP endpoint "alice" already exists. Choose another username.',
          path: ["items", "0", "username"],
        },
      ],
      error: null,
    });
    expect(payload.results[1]).toMatchObject({ username: "erin", ...ok });
    expect((await passwordsAtPiopiy(gateway)).alice).toBe("made-up-1");
  });

  it("reports all problems of an item with their paths, does not send it, and creates the others", async () => {
    const items = [
      { username: "erin" },
      { username: "not a name", password: " " },
      { username: "x".repeat(5000) },
      { username: "" },
    ];
    const { payload } = await createMany(gateway, { items });
    expect(payload).toMatchObject({ created: 1, existing: 0, failed: 3, userErrors: [] });
    expect(payload.results.map(({ username, userErrors }) => [username, userErrors])).toEqual([
      ["erin", []],
      [
        "not a name",
        [
          {
            code: "INVALID_USERNAME",
            message: expect.stringContaining("1 to 64 characters"),
            path: ["items", "1", "username"],
          },
          {
            code: "INVALID_PASSWORD",
            message: expect.stringContaining("Omit it to have one generated."),
            path: ["items", "1", "password"],
          },
        ],
      ],
      [
        `${"x".repeat(59)}…`,
        [{ code: "INVALID_USERNAME", message: expect.anything(), path: ["items", "2", "username"] }],
      ],
      ["", [{ code: "INVALID_USERNAME", message: expect.anything(), path: ["items", "3", "username"] }]],
    ]);
    expect(await operations()).toEqual(["add_sip"]);
  });

  it("reports DUPLICATE_USERNAME for each item that repeats a username, sends none of them, and creates the others", async () => {
    const items = ["erin", "frank", "erin", "grace", "erin"].map((username) => ({ username }));
    const { payload } = await createMany(gateway, { items });
    const duplicate = (index: number) => [
      {
        code: "DUPLICATE_USERNAME",
        message:
          'The list contains the username "erin" more than once, so nothing is done for it. Each username may be in the list once: remove the repetitions.',
        path: ["items", String(index), "username"],
      },
    ];
    expect(payload).toMatchObject({ created: 2, existing: 0, failed: 3, userErrors: [] });
    expect(payload.results.map(({ userErrors }) => userErrors)).toEqual([
      duplicate(0),
      [],
      duplicate(2),
      [],
      duplicate(4),
    ]);
    expect(Object.keys(await passwordsAtPiopiy(gateway))).toEqual(["alice", "frank", "grace"]);
  });

  it.each<[string, object, object[]]>([
    [
      "an empty list",
      { items: [] },
      [{ code: "NO_ITEMS", message: "`items` is empty. Add 1 to 200 items.", path: ["items"] }],
    ],
    [
      "201 items",
      { items: usernames(201).map((username) => ({ username })) },
      [
        {
          code: "TOO_MANY_ITEMS",
          message: "`items` has 201 items; the maximum is 200. Send them in several mutations.",
          path: ["items"],
        },
      ],
    ],
    [
      "4999 invalid items",
      { items: Array.from({ length: 4999 }, () => ({ username: "" })) },
      [{ code: "TOO_MANY_ITEMS", message: expect.stringContaining("4999 items"), path: ["items"] }],
    ],
    [
      "an invalid key, together with the problems of the items",
      { idempotencyKey: "short", items: [{ username: "erin" }, { username: "a b" }] },
      [
        { code: "INVALID_IDEMPOTENCY_KEY", message: expect.anything(), path: ["idempotencyKey"] },
        { code: "INVALID_USERNAME", message: expect.anything(), path: ["items", "1", "username"] },
      ],
    ],
    [
      "an empty list with an invalid key",
      { idempotencyKey: "", items: [] },
      [
        { code: "NO_ITEMS", message: expect.anything(), path: ["items"] },
        { code: "INVALID_IDEMPOTENCY_KEY", message: expect.anything(), path: ["idempotencyKey"] },
      ],
    ],
  ])("does nothing for %s", async (_, input, userErrors) => {
    const { payload } = await createMany(gateway, input);
    expect(payload).toEqual({ results: [], created: 0, existing: 0, failed: 0, userErrors });
    expect(await operations()).toEqual([]);
  });

  it("warns of usernames that differ only in case, and creates them", async () => {
    const items = ["Erin", "frank", "erin"].map((username) => ({ username }));
    const { payload, extensions } = await createMany(gateway, { items });
    expect(payload).toMatchObject({ created: 3, failed: 0 });
    expect(extensions?.warnings).toEqual([
      {
        message:
          'The usernames "Erin" and "erin" differ only in upper and lower case. PIOPIY may treat them as the same username: check whether both are intended.',
        path: ["items", "2", "username"],
      },
    ]);
  });

  it("does not warn of usernames that differ in more than case", async () => {
    const { extensions } = await createMany(gateway, {
      items: [{ username: "erin" }, { username: "erin2" }],
    });
    expect(extensions).not.toHaveProperty("warnings");
  });
});

describe("Mutation.createSipEndpoints with an idempotency key", () => {
  const idempotencyKey = "made-up-key-1";
  const items = [{ username: "erin" }, { username: "frank", password: "made-up-2" }, { username: "grace" }];

  it("returns the same passwords when the input is repeated, and creates what is missing", async () => {
    const first = await createMany(gateway, { idempotencyKey, items: items.slice(0, 2) });
    const second = await createMany(gateway, { idempotencyKey, items });
    expect(first.payload).toMatchObject({ created: 2, existing: 0, failed: 0 });
    expect(second.payload).toMatchObject({ created: 1, existing: 2, failed: 0 });
    expect(second.payload.results.slice(0, 2)).toEqual(first.payload.results);
    expect(second.payload.results.map(({ userErrors }) => userErrors)).toEqual([[], [], []]);
    const third = await createMany(gateway, { idempotencyKey, items });
    expect(third.payload).toEqual({ ...second.payload, created: 0, existing: 3 });
  });

  it("has neither its passwords nor its key in the log", async () => {
    const { payload } = await createMany(gateway, { idempotencyKey, items });
    const secrets = [idempotencyKey, ...payload.results.map(({ password }) => String(password))];
    expect(secrets).toHaveLength(4);
    expect(gateway.log.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([]);
  });

  it("counts an endpoint with another password as existing, with USERNAME_TAKEN", async () => {
    const { payload } = await createMany(gateway, { idempotencyKey, items: [{ username: "alice" }] });
    expect(payload).toMatchObject({ created: 0, existing: 1, failed: 0 });
    expect(payload.results[0]).toMatchObject({
      sipEndpoint: null,
      password: null,
      userErrors: [{ code: "USERNAME_TAKEN", path: ["items", "0", "username"] }],
    });
  });

  it.each([
    [
      "with a key",
      { username: "alice" },
      "and was not created with this `idempotencyKey`, or its password was changed. Choose another username.",
    ],
    [
      "with a key and a password",
      { username: "alice", password: "made-up-2" },
      "with another password. Choose another username, or set the password with `updateSipEndpoint`.",
    ],
  ])("states in the message of USERNAME_TAKEN why the endpoint is not that of the item %s", async (_, item, reason) => {
    const { payload } = await createMany(gateway, { idempotencyKey, items: [item] });
    expect(payload.results[0]?.userErrors).toMatchObject([
      { message: `The SIP endpoint "alice" already exists ${reason}` },
    ]);
  });

  it("sets the password that createSipEndpoint derives from the same key", async () => {
    const { payload } = await createMany(gateway, { idempotencyKey, items: [{ username: "erin" }] });
    const { data } = await gateway.execute(
      `mutation { createSipEndpoint(input: { username: "erin", idempotencyKey: "${idempotencyKey}" }) { password } }`,
    );
    expect(data).toEqual({ createSipEndpoint: { password: payload.results[0]?.password } });
  });

  it("returns the fields of an existing endpoint with the upstream request that compares its password", async () => {
    await createMany(gateway, { idempotencyKey, items: items.slice(0, 1) });
    const before = (await operations()).length;
    const query = `mutation { createSipEndpoints(input: { idempotencyKey: "${idempotencyKey}", items: { username: "erin" } }) {
      results { sipEndpoint { connectUrl type } }
    } }`;
    const { data } = await gateway.execute(query);
    const sipEndpoint = { connectUrl: "sbc.emulator.example", type: "SIP" };
    expect(data).toEqual({ createSipEndpoints: { results: [{ sipEndpoint }] } });
    expect((await operations()).slice(before)).toEqual(["add_sip", "get_sip"]);
  });
});

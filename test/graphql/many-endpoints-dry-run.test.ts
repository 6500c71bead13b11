import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { auditOf } from "../support/gateway/lost-writes.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { createMany, type ItemResult, passwordsAtPiopiy, removeMany, usernames } from "./many-endpoints.js";

const idempotencyKey = "made-up-key-1";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { CACHE_TTL_MS: "60000" } });
});
afterAll(() => gateway.close());
beforeEach(() =>
  gateway.reset({
    endpoints: [
      { username: "alice", password: "made-up-1" },
      { username: "bob", password: "made-up-2" },
    ],
  }),
);

const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);
const codes = (results: readonly ItemResult[]) =>
  results.map(({ userErrors }) => userErrors.map(({ code }) => code).join(" "));

describe("A dry run of createSipEndpoints", () => {
  const items = [
    { username: "alice" },
    { username: "erin" },
    { username: "a b" },
    { username: "frank" },
    { username: "frank" },
  ];

  it("returns the counts and the user errors of the mutation, and no passwords", async () => {
    const preview = await createMany(gateway, { items, dryRun: true });
    const real = await createMany(gateway, { items });
    expect(preview.payload).toMatchObject({ created: 1, existing: 1, failed: 3, userErrors: [] });
    expect(preview.payload).toEqual({
      ...real.payload,
      results: real.payload.results.map((result) => ({ ...result, sipEndpoint: null, password: null })),
    });
    expect(codes(preview.payload.results)).toEqual([
      "USERNAME_TAKEN",
      "",
      "INVALID_USERNAME",
      "DUPLICATE_USERNAME",
      "DUPLICATE_USERNAME",
    ]);
  });

  it("sends one read for each valid item, and changes nothing", async () => {
    await createMany(gateway, { items, dryRun: true });
    expect(await operations()).toEqual(["get_sip", "get_sip"]);
    expect(await passwordsAtPiopiy(gateway)).toEqual({ alice: "made-up-1", bob: "made-up-2" });
  });

  it("bypasses the cache, so that it returns the current state", async () => {
    const read = '{ sipEndpoint(username: "erin") { username } }';
    expect((await gateway.execute(read)).data).toEqual({ sipEndpoint: null });
    await gateway.reset({ endpoints: [{ username: "erin" }] });
    const { payload } = await createMany(gateway, { items: [{ username: "erin" }], dryRun: true });
    expect(payload).toMatchObject({ created: 0, existing: 1 });
  });

  it("counts an endpoint with the same key and password as existing, without a user error", async () => {
    await createMany(gateway, { items: [{ username: "erin" }], idempotencyKey });
    const input = { items: [{ username: "erin" }, { username: "alice" }], idempotencyKey, dryRun: true };
    const { payload } = await createMany(gateway, input);
    expect(payload).toMatchObject({ created: 0, existing: 2, failed: 0 });
    expect(codes(payload.results)).toEqual(["", "USERNAME_TAKEN"]);
    expect(payload.results[0]).toMatchObject({ sipEndpoint: null, password: null });
  });

  it.each([
    { items: [] },
    { items: usernames(201).map((username) => ({ username })) },
    { items: [{ username: "erin" }], idempotencyKey: "" },
  ])("rejects the same inputs as the mutation", async (input) => {
    const preview = await createMany(gateway, { ...input, dryRun: true });
    expect(preview.payload).toEqual((await createMany(gateway, input)).payload);
    expect(await operations()).toEqual([]);
  });

  it("has one audit entry, with the outcome dry-run", async () => {
    const before = auditOf(gateway).length;
    await createMany(gateway, { items, dryRun: true });
    expect(auditOf(gateway).slice(before)).toEqual([
      { what: "Mutation.createSipEndpoints", username: undefined, outcome: "dry-run" },
    ]);
  });

  it("is false by default and for null", async () => {
    const { payload } = await createMany(gateway, { items: [{ username: "erin" }], dryRun: null });
    expect(payload).toMatchObject({ created: 1 });
    expect(Object.keys(await passwordsAtPiopiy(gateway))).toContain("erin");
  });
});

describe("A dry run of removeSipEndpoints", () => {
  const input = { usernames: ["alice", "erin", "bob", "bob"] };

  it("returns the counts and the user errors of the mutation, no removed ids, and changes nothing", async () => {
    const preview = await removeMany(gateway, { ...input, dryRun: true });
    expect(await operations()).toEqual(["get_sip", "get_sip"]);
    expect(Object.keys(await passwordsAtPiopiy(gateway))).toEqual(["alice", "bob"]);
    const real = await removeMany(gateway, input);
    expect(preview.payload).toMatchObject({ removed: 1, missing: 1, failed: 2 });
    expect(preview.payload).toEqual({
      ...real.payload,
      results: real.payload.results.map((result) => ({ ...result, removedId: null })),
    });
  });
});

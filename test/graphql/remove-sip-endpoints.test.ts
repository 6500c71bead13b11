import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { passwordsAtPiopiy, removeMany, usernames } from "./many-endpoints.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
beforeEach(() => gateway.reset({ endpoints: ["alice", "bob", "room 7"].map((username) => ({ username })) }));

const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);
const names = async () => Object.keys(await passwordsAtPiopiy(gateway));
const ok = { userErrors: [], error: null };

describe("Mutation.removeSipEndpoints", () => {
  it("returns one result per username in the order of the input, with one upstream request each", async () => {
    const { status, errors, payload } = await removeMany(gateway, { usernames: ["room 7", "erin", "alice"] });
    expect([status, errors]).toEqual([200, undefined]);
    expect(payload).toEqual({
      results: [
        { username: "room 7", removedId: idOf("room 7"), ...ok },
        {
          username: "erin",
          removedId: null,
          userErrors: [
            {
              code: "SIP_ENDPOINT_NOT_FOUND",
              message: 'PIOPIY has no SIP endpoint "erin".',
              path: ["usernames", "1"],
            },
          ],
          error: null,
        },
        { username: "alice", removedId: idOf("alice"), ...ok },
      ],
      removed: 2,
      missing: 1,
      failed: 0,
      userErrors: [],
    });
    expect(await operations()).toEqual(["remove_sip", "remove_sip", "remove_sip"]);
    expect(await names()).toEqual(["bob"]);
  });

  it("reports each invalid or repeated username, does not send it, and removes the others", async () => {
    const { payload } = await removeMany(gateway, { usernames: ["alice", "bob", "alice", ""] });
    expect(payload).toMatchObject({ removed: 1, missing: 0, failed: 3, userErrors: [] });
    expect(payload.results.map(({ userErrors }) => userErrors)).toMatchObject([
      [{ code: "DUPLICATE_USERNAME", path: ["usernames", "0"] }],
      [],
      [{ code: "DUPLICATE_USERNAME", path: ["usernames", "2"] }],
      [{ code: "INVALID_USERNAME", path: ["usernames", "3"] }],
    ]);
    expect(await names()).toEqual(["alice", "room 7"]);
  });

  it("removes 200 endpoints in one mutation", async () => {
    await gateway.reset({ endpoints: usernames(201).map((username) => ({ username })) });
    const { payload, extensions } = await removeMany(gateway, { usernames: usernames(200) });
    expect(payload).toMatchObject({ removed: 200, missing: 0, failed: 0 });
    expect(await names()).toEqual(["many-200"]);
    expect(extensions?.cost?.requested).toBe(201);
  });

  it.each<[string, string[], object]>([
    ["an empty list", [], { code: "NO_ITEMS", path: ["usernames"] }],
    ["201 usernames", usernames(201), { code: "TOO_MANY_ITEMS", path: ["usernames"] }],
  ])("does nothing for %s", async (_, list, error) => {
    const { payload } = await removeMany(gateway, { usernames: list });
    expect(payload).toMatchObject({ results: [], removed: 0, missing: 0, failed: 0, userErrors: [error] });
    expect(await operations()).toEqual([]);
  });

  it("warns of usernames that differ only in case", async () => {
    const { payload, extensions } = await removeMany(gateway, { usernames: ["alice", "ALICE"] });
    expect(payload).toMatchObject({ removed: 1, missing: 1 });
    expect(extensions?.warnings).toMatchObject([{ path: ["usernames", "1"] }]);
  });
});

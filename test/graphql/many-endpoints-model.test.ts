import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { createMany, passwordsAtPiopiy, removeMany } from "./many-endpoints.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const names = ["alice", "Alice", "erin", "frank", "room 7", "", "x".repeat(65)];
const list = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 12 });
const existing = fc.subarray(["alice", "erin", "room 7"]);

interface Expected {
  readonly codes: readonly string[];
  readonly counts: readonly number[];
}

/** Returns the expected codes of the items, and the numbers of those that are done, skipped and failed. */
function predict(
  usernames: readonly string[],
  isValid: (username: string) => boolean,
  skipped: (username: string) => string | undefined,
): Expected {
  const isRepeated = (username: string) => usernames.filter((other) => other === username).length > 1;
  const items = usernames.map((username) => {
    const invalid = [
      ...(isValid(username) ? [] : ["INVALID_USERNAME"]),
      ...(isRepeated(username) ? ["DUPLICATE_USERNAME"] : []),
    ].join(" ");
    const code = invalid || (skipped(username) ?? "");
    return { code, outcome: invalid ? "failed" : code ? "skipped" : "done" };
  });
  return {
    codes: items.map(({ code }) => code),
    counts: ["done", "skipped", "failed"].map(
      (outcome) => items.filter((item) => item.outcome === outcome).length,
    ),
  };
}

const codesOf = (results: readonly { userErrors: readonly { code: string }[] }[]) =>
  results.map(({ userErrors }) => userErrors.map(({ code }) => code).join(" "));

describe("Any list", () => {
  it("of endpoints to create has the results, counts and effects of a model, and a dry run has none", async () => {
    await fc.assert(
      fc.asyncProperty(list, existing, fc.boolean(), async (usernames, before, dryRun) => {
        await gateway.reset({ endpoints: before.map((username) => ({ username })) });
        const { codes, counts } = predict(
          usernames,
          (username) => /^[a-zA-Z]{1,64}$/.test(username),
          (username) => (before.includes(username) ? "USERNAME_TAKEN" : undefined),
        );
        const { payload } = await createMany(gateway, {
          items: usernames.map((username) => ({ username })),
          dryRun,
        });
        expect(codesOf(payload.results)).toEqual(codes);
        expect([payload.created, payload.existing, payload.failed]).toEqual(counts);
        const created = dryRun ? [] : usernames.filter((_, index) => codes[index] === "");
        const stored = Object.keys(await passwordsAtPiopiy(gateway));
        expect(stored.toSorted()).toEqual([...before, ...created].toSorted());
      }),
      { seed: 19, numRuns: 40 },
    );
  });

  it("of endpoints to remove has the results, counts and effects of a model, and a dry run has none", async () => {
    await fc.assert(
      fc.asyncProperty(list, existing, fc.boolean(), async (usernames, before, dryRun) => {
        await gateway.reset({ endpoints: before.map((username) => ({ username })) });
        const { codes, counts } = predict(
          usernames,
          (username) => username !== "",
          (username) => (before.includes(username) ? undefined : "SIP_ENDPOINT_NOT_FOUND"),
        );
        const { payload } = await removeMany(gateway, { usernames, dryRun });
        expect(codesOf(payload.results)).toEqual(codes);
        expect([payload.removed, payload.missing, payload.failed]).toEqual(counts);
        const removed = dryRun ? [] : usernames.filter((_, index) => codes[index] === "");
        const stored = Object.keys(await passwordsAtPiopiy(gateway));
        expect(stored.toSorted()).toEqual(before.filter((name) => !removed.includes(name)).toSorted());
      }),
      { seed: 19, numRuns: 40 },
    );
  });
});

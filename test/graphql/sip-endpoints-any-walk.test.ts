import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { askList, numbered, usernamesOf } from "./list-query.js";
import { type Change, change } from "./list-walk.js";

/** What is done between two pages; `pick` chooses among the names that there are. */
interface Deed {
  readonly kind: "remove" | "create" | "create again";
  readonly pick: number;
}

/** A page of the walk, and what is done after it. */
interface Step {
  readonly first: number;
  readonly deeds: readonly Deed[];
}

/** What other people do to the list. */
class Others {
  readonly list: string[];
  readonly removed = new Set<string>();
  #created = 0;

  constructor(usernames: readonly string[]) {
    this.list = [...usernames];
  }

  /** The change that the deed comes to, if it comes to any. */
  decide({ kind, pick }: Deed): Change[] {
    if (kind === "remove") return this.#remove(this.list[pick % this.list.length]);
    if (kind === "create") return this.#create(`new-${++this.#created}`);
    const gone = [...this.removed].filter((username) => !this.list.includes(username));
    return this.#create(gone[pick % gone.length]);
  }

  #remove(username: string | undefined): Change[] {
    if (username === undefined) return [];
    this.list.splice(this.list.indexOf(username), 1);
    this.removed.add(username);
    return [`-${username}`];
  }

  #create(username: string | undefined): Change[] {
    if (username === undefined) return [];
    this.list.push(username);
    return [`+${username}`];
  }
}

const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom("remove", "remove", "create", "create again"),
  pick: fc.nat(),
});
const plan: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ first: fc.integer({ min: 1, max: 14 }), deeds: fc.array(deed, { maxLength: 6 }) }),
  { minLength: 1, maxLength: 12 },
);

describe("Any walk through Query.sipEndpoints", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  /** Walks to the end of the list, or until the cursor has expired, while others follow the plan. */
  async function walk(plan: readonly Step[], others: Others): Promise<{ seen: string[]; expired: boolean }> {
    const seen: string[] = [];
    let after: string | null = null;
    for (let step = 0; ; step++) {
      const { first, deeds } = plan[step] ?? { first: 10, deeds: [] };
      const { data, errors }: Awaited<ReturnType<typeof askList>> = await askList(gateway, { first, after });
      if (!data) {
        expect(errors?.[0]?.extensions.code).toBe("CURSOR_EXPIRED");
        return { seen, expired: true };
      }
      seen.push(...usernamesOf(data.sipEndpoints));
      expect(data.sipEndpoints.totalCount).toBe(others.list.length);
      if (!data.sipEndpoints.pageInfo.hasNextPage) return { seen, expired: false };
      after = data.sipEndpoints.pageInfo.endCursor;
      await change(
        gateway,
        deeds.flatMap((each) => others.decide(each)),
      );
    }
  }

  it("sees each endpoint that is there all the time exactly once, or is told that it has expired", async () => {
    let expirations = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 32 }), plan, async (count, steps) => {
        await gateway.reset({ count });
        const others = new Others(numbered(count));
        const { seen, expired } = await walk(steps, others);
        const stayed = (username: string) => !others.removed.has(username);
        const lasting = numbered(count).filter(stayed);
        const seenLasting = seen.filter((username) => lasting.includes(username));
        expect(seenLasting).toEqual(expired ? lasting.slice(0, seenLasting.length) : lasting);
        if (expired) {
          expirations += 1;
          expect(seen.slice(-10).filter(stayed)).toEqual([]);
        }
      }),
      { seed: 5, numRuns: 150 },
    );
    expect(expirations).toBeGreaterThan(3);
    expect(expirations).toBeLessThan(50);
  });
});

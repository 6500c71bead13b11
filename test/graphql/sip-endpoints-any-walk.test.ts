import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, queryList, usernamesOf } from "./list-query.js";
import { type Change, change } from "./list-walk.js";

/** A change between two pages. `pick` selects one of the existing names. */
interface Deed {
  readonly kind: "remove" | "create" | "create again";
  readonly pick: number;
}

/** A page to read, and the changes after it. */
interface Step {
  readonly first: number;
  readonly deeds: readonly Deed[];
}

/** The changes of other clients to the list. */
class Others {
  readonly list: string[];
  readonly removed = new Set<string>();
  #created = 0;

  constructor(usernames: readonly string[]) {
    this.list = [...usernames];
  }

  /** Returns the change of a deed, if it is possible. */
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

describe("Paginating Query.sipEndpoints with any changes between pages", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  /** Reads the list to the end, or until the cursor has expired, with the changes of the plan. */
  async function walk(plan: readonly Step[], others: Others): Promise<{ seen: string[]; expired: boolean }> {
    const seen: string[] = [];
    let after: string | null = null;
    for (let step = 0; ; step++) {
      const { first, deeds } = plan[step] ?? { first: 10, deeds: [] };
      const { data, errors }: Awaited<ReturnType<typeof queryList>> = await queryList(gateway, {
        first,
        after,
      });
      if (!data.sipEndpoints) {
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

  it("returns each endpoint that exists all the time exactly once, or CURSOR_EXPIRED", async () => {
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

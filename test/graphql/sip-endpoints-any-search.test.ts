import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import {
  type List,
  type ListArguments,
  queryList,
  readList,
  type UsernameFilter,
  usernamesOf,
} from "./list-query.js";

type Direction = "ASC" | "DESC" | undefined;

/** A change of the list between two pages. `pick` selects one of the existing names, or the place of a new one. */
interface Deed {
  readonly kind: "remove" | "create";
  readonly pick: number;
}

const letters = fc.constantFrom(..."aAbBéÉ-1\uff5e😀");
const name = fc.string({ unit: letters, minLength: 1, maxLength: 4 });
const list = fc.uniqueArray(name, { maxLength: 45 });
const filter: fc.Arbitrary<UsernameFilter> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ contains: fc.string({ unit: letters, maxLength: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ startsWith: fc.string({ unit: letters, maxLength: 1 }) }) },
  fc.record({ in: fc.array(name, { maxLength: 30 }) }),
  fc.record(
    { contains: letters, startsWith: letters, in: fc.array(name, { maxLength: 30 }), equals: name },
    { requiredKeys: [] },
  ),
);
const direction: fc.Arbitrary<Direction> = fc.constantFrom(undefined, "ASC", "DESC");
const size = fc.integer({ min: 1, max: 14 });

const escaped = (text: string) => text.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");
const codes = (text: string) =>
  Array.from(text, (character) => String(character.codePointAt(0)).padStart(8, "0")).join();

/** Returns the usernames of the list that match, in the requested order. */
function model(names: readonly string[], filter: UsernameFilter, direction: Direction): string[] {
  const { contains = "", startsWith = "", in: among, equals } = filter;
  const matches = names.filter(
    (name) =>
      new RegExp(escaped(contains ?? ""), "iu").test(name) &&
      new RegExp(`^${escaped(startsWith ?? "")}`, "iu").test(name) &&
      (among == null || among.includes(name)) &&
      (equals == null || equals === name),
  );
  if (!direction) return matches;
  const key = (name: string) => `${codes(name.toLowerCase())} ${codes(name)}`;
  const sorted = matches.sort((one, other) => (key(one) < key(other) ? -1 : 1));
  return direction === "ASC" ? sorted : sorted.reverse();
}

describe("A search of Query.sipEndpoints", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  const restart = (names: readonly string[]) =>
    gateway.reset({ endpoints: names.map((username) => ({ username })) });
  const argumentsOf = (filter: UsernameFilter, direction: Direction): ListArguments => ({
    filter: { username: filter },
    ...(direction && { orderBy: { field: "USERNAME", direction } }),
  });

  it("returns the rows of a model, for any filter, order, offset and size, from both ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        list,
        filter,
        direction,
        fc.nat(12),
        size,
        async (names, filter, direction, offset, size) => {
          await restart(names);
          const expected = model(names, filter, direction);
          const args = { ...argumentsOf(filter, direction), offset };
          const first = await readList(gateway, { ...args, first: size });
          const last = await readList(gateway, { ...args, last: size });
          const total = expected.length;
          const end = Math.max(offset, total - size);
          expect([usernamesOf(first), usernamesOf(last)]).toEqual([
            expected.slice(offset, offset + size),
            expected.slice(end),
          ]);
          expect([first.totalCount, last.totalCount, first.complete]).toEqual([total, total, true]);
          expect(first.pageInfo).toMatchObject({
            hasPreviousPage: Math.min(offset, total) > 0,
            hasNextPage: offset + size < total,
          });
          expect(last.pageInfo).toMatchObject({
            hasPreviousPage: Math.min(end, total) > 0,
            hasNextPage: false,
          });
        },
      ),
      { seed: 7, numRuns: 150 },
    );
  });

  /** Reads all pages, with changes between them. Returns the usernames in the order of the list, and the endpoints that always exist. */
  async function walk(
    names: readonly string[],
    args: ListArguments,
    size: number,
    isBackward: boolean,
    plan: readonly (readonly Deed[])[],
  ): Promise<{ seen: string[]; isExpired: boolean; lasting: string[] }> {
    let current = [...names];
    const removed = new Set<string>();
    const seen: string[] = [];
    let cursor: string | null = null;
    for (let page = 0; ; page++) {
      const part: ListArguments = isBackward
        ? { last: size, before: cursor }
        : { first: size, after: cursor };
      const { data, errors }: Awaited<ReturnType<typeof queryList>> = await queryList(gateway, {
        ...args,
        ...part,
      });
      const lasting = names.filter((name) => !removed.has(name));
      if (!data.sipEndpoints) {
        expect(errors?.[0]?.extensions.code).toBe("CURSOR_EXPIRED");
        return { seen, isExpired: true, lasting };
      }
      const { edges, pageInfo }: List = data.sipEndpoints;
      const usernames = edges.map(({ node }) => node.username);
      if (isBackward) seen.unshift(...usernames);
      else seen.push(...usernames);
      if (!(isBackward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage))
        return { seen, isExpired: false, lasting };
      cursor = isBackward ? pageInfo.startCursor : pageInfo.endCursor;
      for (const [index, { kind, pick }] of (plan[page] ?? []).entries()) {
        const place = pick % (current.length + 1);
        if (kind === "create") current = [...current, `new${page}${index}`];
        else if (current[place] !== undefined) {
          removed.add(current[place]);
          current = current.filter((_, other) => other !== place);
        }
      }
      await restart(current);
    }
  }

  const deed = fc.record({
    kind: fc.constantFrom("remove", "remove", "create"),
    pick: fc.nat(1000),
  } as const);
  const plan = fc.array(fc.array(deed, { maxLength: 4 }), { maxLength: 10 });

  it("returns each endpoint that exists all the time exactly once, in any order and direction, or CURSOR_EXPIRED", async () => {
    let expired = 0;
    await fc.assert(
      fc.asyncProperty(
        list,
        filter,
        direction,
        size,
        fc.boolean(),
        plan,
        async (names, filter, direction, size, isBackward, plan) => {
          await restart(names);
          const args = argumentsOf(filter, direction);
          const { seen, isExpired, lasting } = await walk(names, args, size, isBackward, plan);
          const expected = model(lasting, filter, direction);
          const seenLasting = seen.filter((name) => lasting.includes(name));
          const { length } = seenLasting;
          const part = isBackward ? expected.slice(expected.length - length) : expected.slice(0, length);
          expect(seenLasting).toEqual(isExpired ? part : expected);
          if (isExpired) expired++;
          // Only the position of a row can be lost.
          expect(isExpired && direction !== undefined).toBe(false);
        },
      ),
      { seed: 11, numRuns: 200 },
    );
    expect(expired).toBeLessThan(20);
  });
});

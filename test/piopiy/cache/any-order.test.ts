import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Budget } from "../../../src/piopiy/budget.js";
import { OwnChanges } from "../../../src/piopiy/cache/local-invalidation.js";
import { ReadCache } from "../../../src/piopiy/cache/read-cache.js";
import { Versions } from "../../../src/piopiy/cache/versions.js";

const NAMES = ["a", "b"];
const name = fc.constantFrom(...NAMES);
/** What may happen, in any order: a read begins, PIOPIY looks, PIOPIY's answer comes in, a write takes, a write ends. */
const step = fc.oneof(
  fc.record({ do: fc.constant("read" as const), name }),
  fc.record({ do: fc.constant("look" as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant("answer" as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant("write" as const), name }),
  fc.record({ do: fc.constant("end" as const), name }),
);

interface Call {
  readonly name: string;
  readonly answer: (value: number) => void;
  seen: number | undefined;
}

/** A PIOPIY that keeps a number for each name, and the cache before it. */
function createTrial() {
  const versions = new Versions();
  const changes = new OwnChanges(versions, true);
  const cache = new ReadCache({ ttlMs: 3_600_000, account: "made-up" }, versions, changes);
  const budget = new Budget(3_600_000, "someone");
  const numbers = new Map(NAMES.map((key) => [key, 0]));
  const known = new Map(NAMES.map((key) => [key, 0]));
  const calls: Call[] = [];
  const reads: Promise<void>[] = [];
  const answerCall = (index: number) => {
    const [call] = calls.splice(index, 1);
    call?.answer(call.seen ?? Number(numbers.get(call.name)));
  };
  return {
    read(key: string) {
      const least = Number(known.get(key));
      const request = {
        subject: `endpoint ${key}` as const,
        key,
        ask: () =>
          new Promise<number>((answer) => {
            calls.push({ name: key, answer, seen: undefined });
          }),
        withoutSecrets: (value: number) => value,
      };
      reads.push(
        cache.read(request, budget).then(({ value }) => expect(value).toBeGreaterThanOrEqual(least)),
      );
    },
    look(which: number) {
      const call = calls[which % Math.max(1, calls.length)];
      if (call) call.seen ??= numbers.get(call.name);
    },
    answer: (which: number) => answerCall(which % Math.max(1, calls.length)),
    write: (key: string) => numbers.set(key, Number(numbers.get(key)) + 1),
    async end(key: string) {
      await changes.announce([`endpoint ${key}`]);
      known.set(key, Number(numbers.get(key)));
    },
    async finish() {
      let isOver = false;
      const all = Promise.all(reads).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        while (calls.length > 0) answerCall(0);
        await new Promise(setImmediate);
      }
      budget.close();
      await all;
    },
  };
}

describe("Whatever the order of reads, looks, answers and writes", () => {
  it("nobody reads what was before a write that had ended when the read began", async () => {
    const steps = fc.array(step, { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        async (all, pauses) => {
          const trial = createTrial();
          for (const [index, one] of all.entries()) {
            if (one.do === "read") trial.read(one.name);
            if (one.do === "look") trial.look(one.which);
            if (one.do === "answer") trial.answer(one.which);
            if (one.do === "write") trial.write(one.name);
            if (one.do === "end") await trial.end(one.name);
            if (pauses[index]) await new Promise(setImmediate);
          }
          await trial.finish();
        },
      ),
      { numRuns: 300 },
    );
  });
});

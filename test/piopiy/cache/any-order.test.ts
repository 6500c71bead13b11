import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { LocalInvalidation, Versions } from "../../../src/piopiy/cache/invalidation.js";
import { readCache } from "../../../src/piopiy/cache/read-cache.js";
import { OperationDeadline } from "../../../src/piopiy/deadline.js";
import { compose, received } from "../../../src/piopiy/pipeline/pipeline.js";
import { singleFlight } from "../../../src/piopiy/pipeline/single-flight.js";

const NAMES = ["a", "b"];
const name = fc.constantFrom(...NAMES);
/** The events, in any order: a read begins, PIOPIY reads its data, its response arrives, a write takes effect, a write ends. */
const step = fc.oneof(
  fc.record({ do: fc.constant("read" as const), name }),
  fc.record({ do: fc.constant("look" as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant("respond" as const), which: fc.nat(9) }),
  fc.record({ do: fc.constant("write" as const), name }),
  fc.record({ do: fc.constant("end" as const), name }),
);

interface UpstreamRequest {
  readonly name: string;
  readonly response: (value: number) => void;
  seen: number | undefined;
}

/** A PIOPIY that stores a number for each name, behind the cache. */
function createTrial() {
  const versions = new Versions();
  const invalidation = new LocalInvalidation(versions, true);
  const cache = readCache({ ttlMs: 3_600_000, account: "made-up" }, invalidation);
  const deadline = new OperationDeadline(3_600_000, "someone", "test");
  const send = compose(
    [singleFlight(), cache],
    ({ parameters: { username = "" } }) =>
      new Promise((response) => {
        requests.push({ name: username, response: (value) => response(received(value)), seen: undefined });
      }),
  );
  const numbers = new Map(NAMES.map((key) => [key, 0]));
  const known = new Map(NAMES.map((key) => [key, 0]));
  const requests: UpstreamRequest[] = [];
  const reads: Promise<void>[] = [];
  const respond = (index: number) => {
    const [request] = requests.splice(index, 1);
    request?.response(request.seen ?? Number(numbers.get(request.name)));
  };
  return {
    read(key: string) {
      const least = Number(known.get(key));
      const subject = `endpoint ${key}` as const;
      const { signal } = deadline;
      const response = send({
        operation: "get_sip",
        parameters: { username: key },
        subject,
        key: `${key}@${versions.of(subject)}`,
        cache: "use",
        priority: "read",
        deadline,
        signal,
        waitSignal: signal,
      });
      reads.push(response.then(({ value }) => expect(value).toBeGreaterThanOrEqual(least)));
    },
    look(which: number) {
      const request = requests[which % Math.max(1, requests.length)];
      if (request) request.seen ??= numbers.get(request.name);
    },
    respond: (which: number) => respond(which % Math.max(1, requests.length)),
    write: (key: string) => numbers.set(key, Number(numbers.get(key)) + 1),
    async end(key: string) {
      await invalidation.publish([`endpoint ${key}`]);
      known.set(key, Number(numbers.get(key)));
    },
    async finish() {
      let isOver = false;
      const all = Promise.all(reads).finally(() => {
        isOver = true;
      });
      while (!isOver) {
        while (requests.length > 0) respond(0);
        await new Promise(setImmediate);
      }
      deadline.close();
      await all;
    },
  };
}

describe("In any order of reads, responses and writes", () => {
  it("no read returns data from before a write that had ended when the read began", async () => {
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
            if (one.do === "respond") trial.respond(one.which);
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

import type { RecordedCall } from "../support/gateway/test-gateway.js";
import type { HarmedGateway } from "./harmed-gateway.js";
import { seededRandom } from "./seeded-random.js";
import type { ToxicShare } from "./toxics.js";
import { drawEmulatorFault } from "./write-faults.js";
import { operationOf, WritingCaller } from "./writing-caller.js";

const OWN_ENDPOINTS = 8;

/** What callers write, and what happens to it. */
export interface WriteRun {
  readonly seed: number;
  readonly callers: number;
  /** Writes of each caller between two looks at the emulator. */
  readonly round: number;
  readonly writes: number;
  readonly toxics: readonly ToxicShare[];
  /** The share of writes for which the emulator gets a fault, too. */
  readonly faults: number;
}

/** Lets all callers write side by side, and looks again and again whether the emulator holds what they were told. */
export async function runWrites(
  { gateway, proxy, rows }: HarmedGateway,
  { seed, callers: count, round, writes, toxics, faults }: WriteRun,
) {
  await gateway.reset({ count: 0 });
  const callers = Array.from({ length: count }, (_, index) => {
    const random = seededRandom(seed + index);
    return { random, caller: new WritingCaller(gateway, random, `c${index}`, OWN_ENDPOINTS) };
  });
  proxy.harm(toxics);
  const untrue: object[] = [];
  for (let made = 0; made < writes; made += count * round) {
    await Promise.all(
      callers.map(async ({ caller, random }) => {
        for (let done = 0; done < round; done += 1) {
          const write = caller.draw();
          if (random.next() < faults) {
            await gateway.fail(drawEmulatorFault(random, operationOf[write.kind], write.username));
          }
          await caller.perform(write);
        }
      }),
    );
    const held = (await rows()).map(({ username, password }) => `${username} ${password}`).toSorted();
    const told = callers
      .flatMap(({ caller }) => [...caller.beliefs].filter(([, password]) => password !== null))
      .map((belief) => belief.join(" "))
      .toSorted();
    if (JSON.stringify(held) !== JSON.stringify(told)) {
      untrue.push({
        made,
        extra: held.filter((row) => !told.includes(row)),
        lost: told.filter((row) => !held.includes(row)),
      });
    }
  }
  proxy.harm([]);
  const all = callers.map(({ caller }) => caller);
  const calls = (await gateway.calls()) as (RecordedCall & { fault?: string })[];
  const endings: Record<string, number> = {};
  for (const { endings: own } of all) {
    for (const [code, times] of Object.entries(own)) endings[code] = (endings[code] ?? 0) + times;
  }
  const harms = Object.values(proxy.counts.toxics).reduce((sum, times) => sum + times, 0);
  const faulty = calls.filter(({ fault }) => fault).length;
  return {
    endings,
    untrue,
    gone: all.reduce((sum, { gone }) => sum + gone, 0),
    lies: all.flatMap(({ lies }) => lies),
    unknown: (endings.OUTCOME_UNKNOWN ?? 0) / writes,
    harmedShare: (harms + faulty) / proxy.counts.exchanges,
    kinds: new Set([...Object.keys(proxy.counts.toxics), ...calls.flatMap(({ fault }) => fault ?? [])]).size,
  };
}

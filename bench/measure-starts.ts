import type { Contestant } from "./contestants.js";
import { RunningContestant } from "./processes/running-contestant.js";
import type { Stage } from "./run.js";

/** From the start of a contestant's process to its first answer, each alone. */
export async function measureStarts(
  contestants: readonly Contestant[],
  rounds: number,
  { upstream, told, results, say }: Stage,
): Promise<void> {
  await upstream.change({ delayMs: 0 });
  for (let round = 0; round < rounds; round++) {
    for (const contestant of contestants) {
      say(`round ${round + 1}: start to first answer, ${contestant.name}`);
      const one = await RunningContestant.start(contestant, told, "user-1");
      results.add("start", contestant.name, { ms: one.startMs });
      await one.stop();
    }
  }
}

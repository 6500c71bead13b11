import { COMMON_ENVIRONMENT, contestants } from "./contestants.js";
import { compareHttpClients } from "./http-clients/compare.js";
import { isFull, type Options, readOptions } from "./options.js";
import { killAllProcessGroups } from "./processes/process-group.js";
import { report, writeResults, writeSoak } from "./report/report.js";
import { run } from "./run.js";
import { smoke } from "./smoke.js";
import { soak } from "./soak.js";

process.once("exit", killAllProcessGroups);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
try {
  process.exit((await start(readOptions(process.argv.slice(2)))) ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** Runs a command. Returns false when a soak test found that the memory grows, or a smoke test an invalid response. */
async function start(options: Options): Promise<boolean> {
  if (options.command === "soak") return soakFor(options.minutes);
  if (options.command === "got") {
    console.log(await compareHttpClients(options.rounds, console.error));
    return true;
  }
  const chosen = contestants.filter(({ name }) => options.only.includes(name));
  if (options.command === "smoke") {
    const problems = await smoke(chosen);
    for (const problem of problems) console.error(problem);
    console.log(`${chosen.length - problems.length} of ${chosen.length} contestants return valid responses.`);
    return problems.length === 0;
  }
  const begun = performance.now();
  const results = await run(options, showProgress);
  const text = report(results, chosen, options);
  console.log(`\n${text}`);
  console.log(`\nTook ${Math.round((performance.now() - begun) / 1000)} s.`);
  if (isFull(options) || options.write) {
    writeResults(text);
    console.log("Written to bench/RESULTS.md.");
  }
  return true;
}

async function soakFor(minutes: number): Promise<boolean> {
  const { text, isFlat } = await soak(minutes, COMMON_ENVIRONMENT, console.error);
  console.log(`\n${text}`);
  if (minutes >= 10) {
    writeSoak(text);
    console.log("\nWritten to bench/RESULTS.md.");
  }
  return isFlat;
}

/** Shows the progress in one line of the terminal, if there is one. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median } from "../report/results.js";
import { table } from "../report/table.js";
import { Upstream } from "../upstream/upstream.js";
import { PRESENT, variants } from "./variants.js";

const CALLS = 6000;

/** What one call costs in processor time, each way in a process of its own, in interleaved rounds. */
export async function compareGot(rounds: number, say: (text: string) => void): Promise<string> {
  const upstream = await Upstream.start(100);
  const measured = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(variants)) {
      say(`round ${round + 1}: ${name}`);
      measured.set(name, [...(measured.get(name) ?? []), await measure(name, `${upstream.url}get_sip`)]);
    }
  }
  await upstream.group.stop();
  const present = median(measured.get(PRESENT) ?? []);
  const rows = Object.entries(variants).map(([name, { title }]) => {
    const microseconds = median(measured.get(name) ?? []);
    return [title, microseconds.toFixed(0), `${(microseconds / present).toFixed(2)}x`];
  });
  return table(["a JSON POST, keep-alive", "µs of processor", "to the present"], rows);
}

async function measure(name: string, url: string): Promise<number> {
  const file = new URL("measure-process.js", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [file, name, url, String(CALLS)], {
    env: { NODE_ENV: "production" },
    timeout: 60_000,
  });
  return Number(stdout);
}

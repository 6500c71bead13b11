import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { median } from "../report/results.js";
import { table } from "../report/table.js";
import { Upstream } from "../upstream/upstream.js";
import { AS_GATEWAY, variants } from "./variants.js";

const REQUESTS = 6000;

/** Compares the processor time of one upstream request. Each variant runs in a process of its own, in interleaved rounds. */
export async function compareHttpClients(
  rounds: number,
  onProgress: (text: string) => void,
): Promise<string> {
  const upstream = await Upstream.start(100);
  const measured = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of Object.keys(variants)) {
      onProgress(`round ${round + 1}: ${name}`);
      measured.set(name, [...(measured.get(name) ?? []), await measure(name, `${upstream.url}get_sip`)]);
    }
  }
  await upstream.group.stop();
  const asGateway = median(measured.get(AS_GATEWAY) ?? []);
  const rows = Object.entries(variants).map(([name, { title }]) => {
    const microseconds = median(measured.get(name) ?? []);
    return [title, microseconds.toFixed(0), `${(microseconds / asGateway).toFixed(2)}x`];
  });
  return table(["POST of JSON, keep-alive", "processor time, µs", "ratio to the gateway"], rows);
}

async function measure(name: string, url: string): Promise<number> {
  const file = new URL("measure-process.js", import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [file, name, url, String(REQUESTS)], {
    env: { NODE_ENV: "production" },
    timeout: 60_000,
  });
  return Number(stdout);
}

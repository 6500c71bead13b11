import { setTimeout } from "node:timers/promises";
import { contestants, type Environment, GATEWAY } from "./contestants.js";
import { LoadGenerator } from "./load/load-generator.js";
import { RunningContestant } from "./processes/running-contestant.js";
import { postJson } from "./processes/server.js";
import { median } from "./report/results.js";
import { table } from "./report/table.js";
import { Upstream } from "./upstream/upstream.js";
import { EXPECTED_TEXT, MANY_ENDPOINTS, Names } from "./workloads/endpoints.js";

const SAMPLE_MS = 10_000;
const DELAY_MS = 5;
const CREATE_CHANGE_REMOVE = `mutation Soak($username: ID!, $password: String!) {
  createSipEndpoint(input: { username: $username }) { userErrors { code } }
  updateSipEndpoint(input: { username: $username, password: $password }) { userErrors { code } }
  removeSipEndpoint(input: { username: $username }) { userErrors { code } }
}`;

/** Sends mixed load to this gateway for some minutes, and reports whether its memory stays flat. */
export async function soak(
  minutes: number,
  environment: Environment,
  onProgress: (text: string) => void,
): Promise<SoakReport> {
  const gateway = contestants.find(({ name }) => name === GATEWAY);
  if (!gateway) throw new Error("the gateway is not in the list of contestants");
  const upstream = await Upstream.start(MANY_ENDPOINTS);
  const running = await RunningContestant.start(
    gateway,
    { ...environment, UPSTREAM_URL: upstream.url },
    "user-1",
  );
  await upstream.configure({ delayMs: DELAY_MS });
  await checkMutation(running.url);
  const loadGenerator = new LoadGenerator();
  const ms = minutes * 60_000;
  const work = Promise.all(
    mixedLoad(running).map((share) => loadGenerator.run({ kind: "open", url: running.url, ms, ...share })),
  );
  const samples = await sampleMemory(running, ms, work, onProgress);
  const results = await work;
  loadGenerator.stop();
  await running.stop();
  await upstream.group.stop();
  const responses = results.reduce((sum, result) => sum + result.responses, 0);
  return soakReport(samples, SAMPLE_MS, responses);
}

interface LoadShare {
  readonly bodies: readonly string[];
  readonly perSecond: number;
  /** The first number that replaces `@@` in the bodies. */
  readonly from: number;
  readonly mustContain?: string;
}

/** Returns the parts of the load: hot names, distinct names, pages with all fields at changing offsets, and writes. */
function mixedLoad({ contestant: { api } }: RunningContestant): LoadShare[] {
  const names = new Names();
  const page = api.rowsQuery?.(77, 20).replace("77", "@@");
  return [
    { perSecond: 200, bodies: names.hot(20).map(api.endpointQuery), from: 0 },
    { perSecond: 100, bodies: [api.endpointQuery("user-@@")], from: 1_000_001, mustContain: EXPECTED_TEXT },
    { perSecond: 3, bodies: page === undefined ? [] : [page], from: 2_000_000 },
    { perSecond: 5, bodies: [mutation("soak-@@")], from: 1 },
  ];
}

function mutation(username: string): string {
  return JSON.stringify({
    query: CREATE_CHANGE_REMOVE,
    variables: { username, password: "made-up-Other-31" },
  });
}

/** Throws when a mutation fails. The load checks for GraphQL errors only, and a mutation returns input errors as data. */
async function checkMutation(url: string): Promise<void> {
  const response = JSON.stringify(await postJson(url, mutation("soak-0")));
  const mistakes = response.split('"userErrors":[]').length - 1;
  if (mistakes !== 3) throw new Error(`a mutation failed: ${response}`);
}

/** Returns the memory in MB at the start and every ten seconds. Ends early when the load fails. */
async function sampleMemory(
  { group }: RunningContestant,
  ms: number,
  work: Promise<unknown>,
  onProgress: (text: string) => void,
): Promise<number[]> {
  const samples: number[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    samples.push(group.residentMegabytes);
    onProgress(
      `${samples.length * (SAMPLE_MS / 1000) - SAMPLE_MS / 1000} s: ${samples.at(-1)?.toFixed(0)} MB`,
    );
    const failed = work.then(() => undefined);
    await Promise.race([setTimeout(Math.min(SAMPLE_MS, Math.max(0, end - performance.now()))), failed]);
  }
  samples.push(group.residentMegabytes);
  return samples;
}

/** More growth than this between the first third and the last is not flat. */
const MOST_GROWTH = 0.1;
const BARS = "▁▂▃▄▅▆▇█";

export interface SoakReport {
  /** A section of Markdown. */
  readonly text: string;
  readonly isFlat: boolean;
}

/** Draws the memory over time in MB and evaluates it, without the first minute, in which code is compiled and caches fill. */
function soakReport(samples: readonly number[], everyMs: number, responses: number): SoakReport {
  const settled = samples.length * everyMs > 180_000 ? samples.slice(Math.ceil(60_000 / everyMs)) : samples;
  const third = Math.max(1, Math.floor(settled.length / 3));
  const [first, last] = [median(settled.slice(0, third)), median(settled.slice(-third))];
  const hours = ((settled.length - third) * everyMs) / 3_600_000;
  const isFlat = last <= first * (1 + MOST_GROWTH);
  const minutes = Math.round(((samples.length - 1) * everyMs) / 60_000);
  const text = [
    "## Soak",
    `Written by \`npm run bench -- soak\` on ${new Date().toISOString().slice(0, 10)}: ${minutes} minutes, ${responses} responses, all valid. Memory every ${everyMs / 1000} s:`,
    sparkline(samples),
    table(
      ["", "MB"],
      [
        ["start", samples[0]],
        ["minimum", Math.min(...samples)],
        ["maximum", Math.max(...samples)],
        ["first third, median", first],
        ["last third, median", last],
        ["growth per hour between them", (last - first) / hours],
      ].map(([what, megabytes]) => [String(what), Number(megabytes).toFixed(0)]),
    ),
    isFlat
      ? "The memory stays flat."
      : `THE MEMORY GROWS: the last third is more than ${MOST_GROWTH * 100} % above the first third.`,
  ].join("\n\n");
  return { text, isFlat };
}

function sparkline(samples: readonly number[]): string {
  const most = Math.max(...samples);
  return samples.map((value) => BARS[Math.min(7, Math.floor((value / most) * 8))]).join("");
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { originOf } from "../support/gateway/built-gateway.js";
import { type Program, startProgram } from "../support/program.js";
import { until } from "../support/until.js";
import { type BrokenUpstream, send, startBrokenUpstream } from "../support/upstream/broken-upstream.js";

const TIMEOUT_MS = 120_000;
const write = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';

let upstream: BrokenUpstream;
const started: Program[] = [];
beforeEach(async () => {
  upstream = await startBrokenUpstream();
});
afterEach(async () => {
  for (const { child } of started.splice(0)) kill(child.pid, "SIGKILL");
  await upstream.close();
});

/** Starts a program as the leader of a process group of its own, as a shell does. */
function run(command: string[], env: Record<string, string>): Program {
  const variables = {
    PATH: process.env.PATH ?? "",
    PORT: "0",
    AUTH: "none",
    PIOPIY_URL: upstream.url,
    PIOPIY_APP_ID: "1",
    PIOPIY_SECRET: "made-up",
    // npm start sets a secret for answer URLs.
    PUBLIC_URL: "https://gateway.example.com",
    ANSWER_URL_SECRET: "made-up-".repeat(4),
    PIOPIY_TIMEOUT_MS: "60000",
    PIOPIY_DEADLINE_MS: "60000",
  };
  const program = startProgram(command, { ...variables, ...env }, { detached: true });
  started.push(program);
  return program;
}

/** Sends a signal to a whole process group, as a terminal does. */
function kill(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    process.kill(-(pid ?? 0), signal);
  } catch {
    // It has exited.
  }
}

const childrenOf = (pid: number | undefined) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).length;

const gateway = [process.execPath, join("dist", "main.js")];

describe.each<[string, string[], string]>([
  ["one process", gateway, "1"],
  ["workers", gateway, "2"],
  ["npm start", ["npm", "start"], "1"],
])("A signal to the process group: %s", (_, command, workers) => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "finishes a write in flight when %s comes twice, and then exits with 0",
    async (signal) => {
      const held: (() => void)[] = [];
      upstream.respond((response) =>
        held.push(() => send(response, { body: { code: 200, username: "alice" } })),
      );
      const program = run(command, { WORKERS: workers });
      const { child, end, output } = program;
      const origin = await originOf(program);
      const response = fetch(`${origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: write }),
      });
      await until(() => held.length === 1);
      kill(child.pid, signal);
      kill(child.pid, signal);
      // A refused connection shows that the signals have arrived. A connection to a worker that stops may get no response.
      await until(() =>
        fetch(origin, { signal: AbortSignal.timeout(1000) }).then(
          () => false,
          () => true,
        ),
      );
      for (const release of held) release();
      expect(await (await response).json()).toMatchObject({
        data: { removeSipEndpoint: { username: "alice" } },
      });
      // npm forwards the signals to the gateway once more. On a busy machine, they arrive when its exit has begun.
      expect(command === gateway ? [0] : [0, signal]).toContain(await end);
      expect(output.stdout.split("the gateway has stopped")).toHaveLength(2);
    },
    TIMEOUT_MS,
  );
});

it.each([
  ["one process", { WORKERS: "1" }],
  ["workers", { WORKERS: "2" }],
  ["one process in its shutdown delay", { WORKERS: "1", SHUTDOWN_DELAY_MS: "600000" }],
  ["workers in their shutdown delay", { WORKERS: "2", SHUTDOWN_DELAY_MS: "600000" }],
])(
  "A second signal after more than one second ends the gateway immediately with exit code 1: %s",
  async (_, env) => {
    upstream.respond(() => {});
    const program = run(gateway, env);
    const { child, end } = program;
    const origin = await originOf(program);
    fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: write }),
    }).catch(() => {});
    await until(() => upstream.requests.length === 1);
    let sent = 0;
    await until(() => {
      if (child.exitCode !== null) return true;
      child.kill("SIGTERM");
      sent++;
      return false;
    });
    expect(await end).toBe(1);
    expect(sent).toBeGreaterThan(2);
  },
  TIMEOUT_MS,
);

it(
  "A signal to the process group while workers start ends the gateway with exit code 0",
  async () => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      for (const isListening of [false, true]) {
        const { child, output, end } = run(gateway, { WORKERS: "3", LOG_LEVEL: "info" });
        // Before any worker listens, and when the first one listens while the others start.
        if (isListening) await until(() => output.stdout.includes("Server listening"));
        else await until(() => childrenOf(child.pid) > 0);
        kill(child.pid, signal);
        kill(child.pid, signal);
        const code = await end;
        expect({ signal, isListening, code, stderr: output.stderr }).toEqual({
          signal,
          isListening,
          code: 0,
          stderr: "",
        });
      }
    }
  },
  TIMEOUT_MS,
);

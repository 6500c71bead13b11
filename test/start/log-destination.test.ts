import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), "log-"));
const started: ChildProcess[] = [];
const descriptors: number[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  for (const descriptor of descriptors.splice(0)) closeSync(descriptor);
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Running {
  readonly child: ChildProcess;
  readonly origin: string;
  /** Its exit code, or the signal that ended it. */
  readonly end: Promise<unknown>;
}

function open(path: string, flags: string | number): number {
  const descriptor = openSync(path, flags);
  descriptors.push(descriptor);
  return descriptor;
}

/** Opens a pipe that is not read. */
function openPipe(): { reader: number; writer: number } {
  const path = join(folder, `pipe-${started.length}-${performance.now()}`);
  spawnSync("mkfifo", [path]);
  const reader = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: open(path, "w") };
}

/** @param script shell script that runs the gateway as "$@" */
async function start(stdout: number | "pipe", workers = "1", script = 'exec "$@"'): Promise<Running> {
  const port = String(await freePort());
  const child = spawn("/bin/sh", ["-c", script, "sh", process.execPath, join("dist", "main.js")], {
    env: { PORT: port, AUTH: "none", PIOPIY_URL: "emulator", WORKERS: workers, RATE_LIMIT_PER_MINUTE: "0" },
    stdio: ["ignore", stdout, "ignore"],
  });
  started.push(child);
  const end = once(child, "exit").then(([code, signal]) => code ?? signal);
  const origin = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${origin}/health/live`).catch(() => undefined))?.ok === true);
  return { child, origin, end };
}

/** Sends a number of operations, each of which logs 65 entries. */
async function log({ origin }: Running, count: number): Promise<void> {
  const fields = Array.from({ length: 64 }, (_, n) => `f${n}: sipEndpoint(username: "alice") { password }`);
  for (let sent = 0; sent < count; sent++) {
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: `{ ${fields.join(" ")} }` }),
      signal: AbortSignal.timeout(100_000),
    });
    expect(await response.json()).not.toHaveProperty("errors");
  }
}

describe("A gateway that writes its log", () => {
  const destinations: [string, (workers: string) => Promise<Running>][] = [
    ["to a full disk", (workers) => start(open("/dev/full", "w"), workers)],
    [
      "to a file of the maximum size",
      (workers) => start(open(join(folder, "log"), "w"), workers, 'ulimit -f 1; exec "$@"'),
    ],
    ["to a read-only descriptor", (workers) => start(open("/dev/null", "r"), workers)],
    ["to a pipe that is not read", (workers) => start(openPipe().writer, workers)],
    ["to a closed standard output", (workers) => start("pipe", workers, 'exec "$@" >&-')],
    [
      "to a closed pipe",
      (workers) => {
        const { reader, writer } = openPipe();
        closeSync(descriptors.splice(descriptors.indexOf(reader), 1)[0] ?? 0);
        return start(writer, workers);
      },
    ],
    // When one worker exits, the socket becomes blocking for the others.
    ["to a socket that is not read", (workers) => start("pipe", workers)],
    [
      "to a socket that its reader closes",
      async (workers) => {
        const running = await start("pipe", workers);
        running.child.stdout?.destroy();
        return running;
      },
    ],
  ];
  it.each(destinations.map(([name, run], index) => [name, String(1 + (index % 2)), run] as const))(
    "%s responds, and exits on SIGTERM, with WORKERS=%s",
    async (_, workers, run) => {
      const running = await run(workers);
      await log(running, 20);
      running.child.kill("SIGTERM");
      expect(await running.end).toBe(0);
    },
    TIMEOUT_MS,
  );
});

it(
  "A gateway whose log was not read for a while writes complete entries and the number of dropped entries",
  async () => {
    const { reader, writer } = openPipe();
    const running = await start(writer);
    await log(running, 100);
    const chunk = Buffer.alloc(65_536);
    let text = "";
    const read = () => {
      try {
        for (let size = readSync(reader, chunk); size > 0; size = readSync(reader, chunk))
          text += chunk.toString("utf8", 0, size);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      }
    };
    await until(() => {
      read();
      return /"dropped".*\n/.test(text);
    });
    await log(running, 1);
    running.child.kill("SIGTERM");
    expect(await running.end).toBe(0);
    read();
    const entries = text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    const written = entries.filter(({ msg }) => msg === "request completed" || msg === "audit").length;
    const [{ dropped, level }, ...more] = entries.filter((entry) => entry.dropped !== undefined);
    expect(more).toEqual([]);
    expect(level).toBe(50);
    expect(written + dropped).toBe(65 * 101);
    // The buffer has 1 MiB, and the pipe has 64 KiB.
    expect(written).toBeGreaterThan(2000);
  },
  TIMEOUT_MS,
);

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { until } from "./until.js";

const REDIS = process.env.REDIS_SERVER ?? "/usr/bin/redis-server";

/** Whether tests that need Redis can run. Always true when `CI=true`: there they fail without Redis. */
export const hasRedis = process.env.CI === "true" || existsSync(REDIS);

/** Redis server without persistence. */
export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Kills the process, like a crash. */
  kill(): Promise<void>;
  /** Stops the process, so that it does not respond although its connections stay open. */
  freeze(): void;
}

/** Starts Debian's Redis, or the one at the path in `REDIS_SERVER`, by default on a free port. */
export async function startRedis(port?: number, ...settings: string[]): Promise<TestRedis> {
  const own = port ?? (await freePort());
  const child = spawn(
    REDIS,
    ["--port", String(own), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", ...settings],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  await once(child, "spawn");
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  await until(() => output.includes("Ready to accept connections") || ended());
  if (ended()) throw new Error(`Redis did not start:\n${output}`);
  return {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    async kill() {
      if (ended()) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
    freeze() {
      child.kill("SIGSTOP");
    },
  };
}

/** Returns a free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

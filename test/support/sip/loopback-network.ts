import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Address of this machine in the network beside 127.0.0.1, for programs that do not use loopback for media. */
export const OTHER_ADDRESS = "10.9.9.1";

/** The interface that has `OTHER_ADDRESS`. */
export const OTHER_INTERFACE = "phones0";

const UNSHARE = ["--user", "--map-root-user", "--net", "sh", "-c"];
const SYSTEM_PATH = "PATH=$PATH:/usr/sbin:/sbin";

/**
 * Whether tests that need a `LoopbackNetwork` can run: whether this machine allows user namespaces and has the programs. Always
 * true when `CI=true`: there they fail otherwise.
 */
export const hasLoopbackNetwork =
  process.env.CI === "true" ||
  spawnSync("unshare", [...UNSHARE, `${SYSTEM_PATH}; command -v ip && command -v curl && command -v nsenter`])
    .status === 0;

/**
 * A network that no packet leaves: a network namespace with loopback and a pair of virtual interfaces that are connected only
 * to each other. Every port is free in it.
 */
export interface LoopbackNetwork {
  /** Returns the command that runs this command in the network. The process that it starts has the same process id. */
  inside(command: readonly string[]): string[];
  /** Returns the path of a script that runs this program in the network with the arguments of the script. */
  script(program: string): string;
  /** Runs shell commands in the network, and returns their standard output. Throws when they fail. */
  sh(commands: string): Promise<string>;
  /** Sends a request to this URL, with this JSON body if there is one, and returns the JSON of the response. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read responses of many shapes.
  request(url: string, body?: unknown): Promise<any>;
  /** Ends the network. Programs in it must have ended. */
  close(): Promise<void>;
}

/** Creates a network. Needs no root, but user namespaces. */
export async function createLoopbackNetwork(): Promise<LoopbackNetwork> {
  const setUp = [
    SYSTEM_PATH,
    "ip link set lo up",
    `ip link add ${OTHER_INTERFACE} type veth peer name phones1`,
    `ip address add ${OTHER_ADDRESS}/24 dev ${OTHER_INTERFACE}`,
    `ip link set ${OTHER_INTERFACE} up`,
    "ip link set phones1 up",
    "echo ready",
    // Ends with the standard input, so also with the process of the tests.
    "exec cat",
  ].join(" && ");
  const holder = spawn("unshare", [...UNSHARE, setUp]);
  let problems = "";
  holder.stderr.on("data", (data) => {
    problems += data;
  });
  const ended = once(holder, "close");
  await Promise.race([once(holder.stdout, "data"), ended]);
  if (holder.exitCode !== null) throw new Error(`The network namespace cannot be created: ${problems}`);

  const directory = mkdtempSync(join(tmpdir(), "loopback-network-"));
  const inside = (command: readonly string[]) => [
    "nsenter",
    `--target=${holder.pid}`,
    "--user",
    "--net",
    "--preserve-credentials",
    ...command,
  ];
  const run = async (...command: string[]) => {
    const [program = "", ...args] = inside(command);
    const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 100_000_000 });
    return stdout;
  };
  return {
    inside,
    script(program) {
      const path = join(directory, "run");
      writeFileSync(path, `#!/bin/sh\nexec ${inside([program]).join(" ")} "$@"\n`, { mode: 0o755 });
      return path;
    },
    sh: (commands) => run("sh", "-ec", commands),
    async request(url, body) {
      const json = body === undefined ? [] : ["--json", JSON.stringify(body)];
      const response = await run("curl", "--silent", "--show-error", ...json, url);
      try {
        return JSON.parse(response);
      } catch {
        throw new Error(`The response of ${url} is not JSON: ${response}`);
      }
    },
    async close() {
      holder.stdin.end();
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
}

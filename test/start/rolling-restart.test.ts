import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { killPrograms, type Program, startProgram } from "../support/program.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const CLIENTS = 50;
const PAUSE_MS = 200;
/** Operations that need PIOPIY and one that does not, each with its result. */
const operations = [
  { query: '{ it: sipEndpoint(username: "alice") { username } }', data: { username: "alice" } },
  {
    query: "mutation ($id: ID!) { it: createSipEndpoint(input: { username: $id }) { userErrors { code } } }",
    data: { userErrors: [] },
  },
  { query: '{ it: validatePcmo(pcmo: [{ action: "hangup" }]) { valid } }', data: { valid: true } },
];
const account = readEmulatorSettings({ EMULATOR_PORT: "0" });
// Debian installs HAProxy in a directory that is not in the PATH of every user.
const env = { PATH: `${process.env.PATH}:/usr/sbin` };
const hasHaproxy = process.env.CI === "true" || spawnSync("haproxy", ["-v"], { env }).status === 0;
const describeWithHaproxy = hasHaproxy ? describe : describe.skip;
if (!hasHaproxy)
  process.stderr.write("Skipped: the tests of rolling restarts need HAProxy (apt-get install haproxy).\n");

/** A request of a client. */
interface Attempt {
  readonly id: string;
  readonly startedAt: number;
  /** The response, or the code of a failed connection. */
  readonly ending: string;
  readonly isGood: boolean;
}

let emulator: Emulator;
let directory: string;
let balancer: Program;
let origin: string;
let ports: number[];
let copies: BuiltGateway[];
const kept = new Agent({ keepAlive: true });
afterEach(async () => {
  kept.destroy();
  await killPrograms();
  await emulator.close();
  await rm(directory, { recursive: true });
});

function startCopy(port: number): Promise<BuiltGateway> {
  return startBuiltGateway({
    PORT: String(port),
    AUTH: "none",
    PIOPIY_URL: emulator.url,
    PIOPIY_APP_ID: String(account.appId),
    PIOPIY_SECRET: account.secret,
    // Reads are not cached, so that requests to PIOPIY are in flight at any time.
    CACHE_TTL_MS: "0",
    RATE_LIMIT_PER_MINUTE: "0",
    // Longer than the documented delay, because on a busy machine HAProxy detects late that a copy is not ready.
    SHUTDOWN_DELAY_MS: "10000",
  });
}

/** Starts three copies of the gateway behind HAProxy, with the configuration of the compose file. */
async function startCluster(): Promise<void> {
  emulator = await startEmulator(account);
  await addLatency();
  ports = [await freePort(), await freePort(), await freePort()];
  copies = await Promise.all(ports.map(startCopy));
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  directory = await mkdtemp(join(tmpdir(), "haproxy-"));
  const log = `bind 127.0.0.1:${port}
  log stdout format raw local0
  capture request header x-request-id len 64
  log-format "%[capture.req.hdr(0)] %s"`;
  const configuration = (await readFile("ops/haproxy/haproxy.cfg", "utf8"))
    .replace("bind :8080", log)
    // On a busy machine a copy may respond late.
    .replace("timeout check 2s", "timeout check 60s")
    .replace(/(gateway-(\d)) [\d.]+:4000/g, (_, name, number) => `${name} 127.0.0.1:${ports[number - 1]}`);
  const file = join(directory, "haproxy.cfg");
  await writeFile(file, configuration);
  balancer = startProgram(["haproxy", "-db", "-f", file], env);
  const isServed = () =>
    fetch(`${origin}/health/ready`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await until(async () => balancer.child.exitCode !== null || (await isServed()));
  expect(balancer.output.stderr).not.toContain("ALERT");
}

async function addLatency(): Promise<void> {
  const fault = { kind: "latency", ms: 50, times: 1_000_000 };
  const headers = { "content-type": "application/json" };
  await fetch(`${emulator.origin}/_emulator/faults`, {
    method: "POST",
    headers,
    body: JSON.stringify(fault),
  });
}

/** Sends an operation, and checks the response. */
async function attempt(id: string, index: number, agent: Agent | false): Promise<Attempt> {
  const { query, data } = operations[index % operations.length] as (typeof operations)[number];
  const startedAt = performance.now();
  const sent = request(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": id },
    agent,
  });
  sent.on("error", () => {});
  sent.end(JSON.stringify({ query, variables: { id } }));
  const ending = await once(sent, "response").then(
    async ([response]) => `${response.statusCode} ${Buffer.concat(await response.toArray())}`,
    (error) => String(error.code ?? error),
  );
  return { id, startedAt, ending, isGood: ending.startsWith(`200 {"data":${JSON.stringify({ it: data })}`) };
}

/** Lets the clients send operations with pauses until `stop` is called, over kept connections or over a new one for each request. */
function startClients(agent: Agent | false): { attempts: Attempt[]; stop: () => Promise<void> } {
  const attempts: Attempt[] = [];
  let isOver = false;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let round = 0; !isOver; round++) {
      attempts.push(await attempt(`c${client}r${round}`, client + round, agent));
      await setTimeout(PAUSE_MS);
    }
  });
  const stop = async () => {
    isOver = true;
    await Promise.all(clients);
  };
  return { attempts, stop };
}

/** Returns the server to which HAProxy last sent a request. */
function serverOf({ id }: Attempt): string | undefined {
  return new RegExp(`^${id} (.*)$`, "m").exec(balancer.output.stdout)?.[1];
}

/** Waits until HAProxy has sent further requests to a server. */
async function untilServedBy(name: string): Promise<void> {
  const { length } = balancer.output.stdout;
  await until(() => balancer.output.stdout.slice(length).split(` ${name}\n`).length > CLIENTS / 10);
}

const names = ["gateway-1", "gateway-2", "gateway-3"];

describeWithHaproxy("Three copies of the gateway behind HAProxy", () => {
  it(`respond to all requests of ${CLIENTS} clients during a rolling restart`, async () => {
    await startCluster();
    const { attempts, stop } = startClients(kept);
    for (const [index, name] of names.entries()) {
      await untilServedBy(name);
      copies[index]?.child.kill("SIGTERM");
      expect(await copies[index]?.end).toBe(0);
      copies[index] = await startCopy(ports[index] ?? 0);
      await untilServedBy(name);
    }
    await stop();
    expect(attempts.filter(({ isGood }) => !isGood)).toEqual([]);
    expect(attempts.length).toBeGreaterThan(10 * CLIENTS);
  });

  it("lose only the requests in flight of a copy that is killed", async () => {
    await startCluster();
    // On a kept connection, HAProxy reports the failure by closing the connection, and does not log the request.
    const { attempts, stop } = startClients(false);
    for (const name of names) await untilServedBy(name);
    const exit = once(copies[1]?.child ?? process, "exit");
    copies[1]?.child.kill("SIGKILL");
    await exit;
    const diedAt = performance.now();
    await untilServedBy("gateway-1");
    copies[1] = await startCopy(ports[1] ?? 0);
    await untilServedBy("gateway-2");
    await stop();
    const failed = attempts.filter(({ isGood }) => !isGood);
    expect(failed.length).toBeGreaterThan(0);
    const strays = failed.filter((one) => serverOf(one) !== "gateway-2" || one.startedAt > diedAt);
    expect(strays).toEqual([]);
  });
});

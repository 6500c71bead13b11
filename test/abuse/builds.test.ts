import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, mkdtemp, readdir, rename, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { copyCheckout } from "../support/checkout.js";

const PAGE = "src/http/graphiql.ts";
const env = { ...process.env, PORT: "0", LOG_LEVEL: "info" };

/** A built checkout. Each test uses a copy of it. */
let built: string;
let checkout: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  built = await copyCheckout();
  checkout = built;
  await run("run", "build");
});
beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), "checkout-"));
  await cp(built, checkout, { recursive: true });
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode === null) {
      child.kill();
      await once(child, "exit");
    }
  }
  await rm(checkout, { recursive: true, force: true });
});
afterAll(() => rm(built, { recursive: true, force: true }));

/** Runs npm in the checkout and waits until it ends. */
async function run(...args: string[]): Promise<{ stderr: string; exitCode: unknown }> {
  const npm = spawn("npm", args, { cwd: checkout, stdio: ["ignore", "ignore", "pipe"] });
  const [stderr, [exitCode]] = await Promise.all([text(npm.stderr), once(npm, "exit")]);
  return { stderr, exitCode };
}

/** Waits until a condition is true. The timeout of the test limits it. */
async function wait(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(20);
}

interface Running {
  readonly child: ChildProcess;
  readonly origin: string;
  /** Returns everything that the program has written so far. */
  output(): string;
}

/** Starts a program of the checkout, and waits until it prints the address that it listens on. */
async function start(command: string, args: string[], more: Record<string, string> = {}): Promise<Running> {
  const child = spawn(command, args, { cwd: checkout, env: { ...env, ...more } });
  started.push(child);
  let output = "";
  const listen = (data: unknown) => {
    output += data;
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const address = () => /(?:(?:GraphQL|address) +|"graphql":")(http:\/\/[^/\s]+).*\n/.exec(output)?.[1];
  const end = once(child, "close");
  while (address() === undefined && child.exitCode === null)
    await Promise.race([once(child.stdout, "data"), end]);
  const origin = address();
  if (!origin) throw new Error(`did not start:\n${output}`);
  return { child, origin, output: () => output };
}

const npmStart = (more?: Record<string, string>) => start("npm", ["start"], more);

async function execute(origin: string, query: string): Promise<unknown> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const alice = '{ sipEndpoint(username: "alice") { username } }';
const found = { data: { sipEndpoint: { username: "alice" } } };
const builds = async () =>
  (await readdir(join(checkout, "dist"))).filter((name) => /^[\da-f]{32}$/.test(name));

/** Changes the program, so that the next build prints the word when it starts. */
const change = (word: string) => appendFile(join(checkout, PAGE), `\nconsole.log("${word}");\n`);

describe("A running gateway", () => {
  it("serves all requests after the files that it started from are removed", async () => {
    const { origin } = await npmStart();
    await rm(join(checkout, "dist"), { recursive: true });
    await rename(join(checkout, "schema"), join(checkout, "no-schema"));
    const connect = '{ connectAction(input: { call: [{ user: "alice" }] }) { pcmo answerUrl } }';
    const queries = [alice, "{ nothing }", "{", "{ __typename }", "{ __schema { description } }", connect];
    for (const query of queries) {
      expect(JSON.stringify(await execute(origin, query))).not.toContain("INTERNAL_SERVER_ERROR");
    }
    const create = 'mutation { createSipEndpoint(input: { username: "erin" }) { userErrors { code } } }';
    expect(await execute(origin, create)).toMatchObject({ data: { createSipEndpoint: { userErrors: [] } } });
    const [page, live] = await Promise.all([fetch(`${origin}/graphiql`), fetch(`${origin}/health/ready`)]);
    expect([page.status, live.status]).toEqual([200, 200]);
  });

  it("replaces a worker by one of its own build, during and after the build of another version", async () => {
    const gateway = await npmStart({ WORKERS: "2", LOG_FORMAT: "json" });
    const workers = () =>
      new Set(
        [...gateway.output().matchAll(/^\{.*"request completed"\}$/gm)].map(([line]) =>
          Number(JSON.parse(line).pid),
        ),
      );
    const executeAll = async (count: number) => {
      await wait(async () => {
        expect(await execute(gateway.origin, alice)).toMatchObject(found);
        return workers().size >= count;
      });
    };
    // Waits for the new worker, because a connection to a worker that is ending would be lost.
    const kill = async (number: number) => {
      const pid = [...workers()][number] ?? 0;
      process.kill(pid, "SIGKILL");
      await wait(() => new RegExp(`"workerPid":${pid},.*another one is started`).test(gateway.output()));
    };
    await executeAll(2);
    await change("One");
    const building = run("run", "build");
    await kill(0);
    await executeAll(3);
    expect(await building).toMatchObject({ exitCode: 0 });
    await kill(1);
    await executeAll(4);
    expect(gateway.output()).not.toContain("One");
    expect(gateway.output()).not.toContain("INTERNAL_SERVER_ERROR");
    expect((await npmStart()).output()).toContain("One");
  });

  it("starts in parallel with others when nothing is built", async () => {
    await rm(join(checkout, "dist"), { recursive: true });
    const gateways = await Promise.all([npmStart(), npmStart(), npmStart()]);
    for (const { origin } of gateways) expect(await execute(origin, alice)).toMatchObject(found);
    expect(await builds()).toHaveLength(1);
  });

  it.each([
    ["npm run emulator", "npm", ["run", "emulator"]],
    ["another npm start", "npm", ["start"]],
  ])("executes its first operation after %s has built another version", async (_, command, args) => {
    const { origin } = await npmStart();
    await change("Two");
    await start(command, args, { EMULATOR_PORT: "0" });
    expect(await execute(origin, alice)).toMatchObject(found);
  });

  it("executes its first operation after npm run api-key or npm run sip has built another version", async () => {
    const { origin } = await npmStart();
    await change("Three");
    expect(await run("run", "api-key", "--", "app", "sip:read")).toMatchObject({ exitCode: 0 });
    await change("Six");
    expect(await run("run", "sip", "--", "list", "--url", origin)).toMatchObject({ exitCode: 0 });
    expect(await execute(origin, alice)).toMatchObject(found);
  });
});

describe("A build", () => {
  it("is skipped when no input has changed, and runs again when one has", async () => {
    const [first] = await builds();
    await run("run", "build");
    expect(await builds()).toEqual([first]);
    await appendFile(join(checkout, "schema/operations/01-list-sip-endpoints.graphql"), "# more\n");
    await run("run", "build");
    expect(await builds()).toHaveLength(2);
  });

  it("that fails leaves the program unchanged, and no other files", async () => {
    const before = await readdir(join(checkout, "dist"));
    await writeFile(join(checkout, "src/main.ts"), "import {");
    const { stderr, exitCode } = await run("run", "build");
    expect([stderr, exitCode]).toEqual([expect.stringContaining("main.ts"), 1]);
    expect(await readdir(join(checkout, "dist"))).toEqual(before);
    const { origin } = await start(process.execPath, ["--env-file=.env.emulator", "dist/main.js"]);
    expect(await execute(origin, alice)).toMatchObject(found);
  });

  it("removes old builds, except one that a running program may load", async () => {
    const gateway = await npmStart();
    const [used = ""] = await builds();
    await cp(join(checkout, "dist", used), join(checkout, "dist", "0".repeat(32)), { recursive: true });
    await change("Four");
    await run("run", "build");
    await change("Five");
    const [hour, week] = [3_600_000, 604_800_000].map((ago) => new Date(Date.now() - ago - 1000));
    await utimes(join(checkout, "dist", used), week as Date, week as Date);
    await utimes(join(checkout, "dist", "0".repeat(32)), hour as Date, hour as Date);
    await run("run", "build");
    const left = await builds();
    expect(left).toHaveLength(3);
    expect(left).toContain(used);
    expect(await execute(gateway.origin, alice)).toMatchObject(found);
  });
});

describe("A second gateway", () => {
  it("does not start on the port of the first, and does not affect the first", async () => {
    const first = await npmStart();
    const { port } = new URL(first.origin);
    await expect(npmStart({ PORT: port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use.`);
    expect(await execute(first.origin, alice)).toMatchObject(found);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

/** The user "nobody" if the tests run as root, because root may write to every directory. */
const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "deployed-"));
  for (const part of ["dist", "package.json"]) {
    await cp(part, join(directory, part), { recursive: true });
  }
  await chmod(directory, 0o555);
});
afterAll(async () => {
  await chmod(directory, 0o755);
  await rm(directory, { recursive: true });
});

const run = (args: string[], env: Record<string, string> = {}) =>
  spawn(process.execPath, args, { cwd: directory, env, ...user });

/** Returns all files with the times of their last change. */
async function files(): Promise<string[]> {
  const paths = await readdir(directory, { recursive: true });
  return Promise.all(paths.map(async (path) => `${path} ${(await stat(join(directory, path))).mtimeMs}`));
}

/** Waits until a program has printed its address, and returns the address. */
async function addressOf(program: ReturnType<typeof run>): Promise<string> {
  let output = "";
  for await (const chunk of program.stdout) {
    output += chunk;
    const [, address] = /(?:GraphQL|address) +(http:\S+)\n/.exec(output) ?? [];
    if (address) return address;
  }
  throw new Error(`did not start:\n${output}${await text(program.stderr)}`);
}

describe("dist and package.json alone, in a read-only directory", () => {
  it.each(["1", "2"])("run the gateway with WORKERS=%s, which writes no files", async (WORKERS) => {
    const before = await files();
    const env = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator", GRAPHIQL: "true", WORKERS };
    const program = run(["dist/main.js"], env);
    try {
      const address = await addressOf(program);
      const response = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: '{ sipEndpoint(username: "alice") { username } }' }),
      });
      expect(await response.json()).toMatchObject({ data: { sipEndpoint: { username: "alice" } } });
      const page = await (await fetch(address.replace(/graphql$/, "graphiql"))).text();
      expect(page).toContain("query ListSipEndpoints");
    } finally {
      program.kill();
    }
    expect(await once(program, "exit")).toEqual([0, null]);
    expect(await files()).toEqual(before);
  });

  it("run the emulator", async () => {
    const program = run(["dist/emulator/main.js"], { EMULATOR_PORT: "0" });
    const { origin } = new URL(await addressOf(program));
    expect((await fetch(`${origin}/_emulator/calls`)).status).toBe(200);
    program.kill();
    expect(await once(program, "exit")).toEqual([0, null]);
  });

  it("generate API keys", async () => {
    const program = run(["dist/auth/make-api-key.js", "mobile-app", "sip:read"]);
    expect(await text(program.stdout)).toMatch(/pgg_[\w-]{43}[\s\S]*mobile-app:[\da-f]{64}:sip:read/);
  });

  it("print how to generate API keys without npm", async () => {
    const program = run(["dist/auth/make-api-key.js"]);
    expect(await text(program.stderr)).toContain("node dist/auth/make-api-key.js NAME SCOPE+SCOPE");
  });
});

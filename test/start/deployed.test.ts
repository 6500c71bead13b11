import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { DeployedCopy } from "../support/deployed-copy.js";
import { originOf } from "../support/gateway/built-gateway.js";
import { killPrograms } from "../support/program.js";
import { until } from "../support/until.js";

let copy: DeployedCopy;
beforeAll(async () => {
  copy = await DeployedCopy.create();
});
afterEach(killPrograms);
afterAll(() => copy.remove());

/** Returns all files with the times of their last change. */
async function files(): Promise<string[]> {
  const paths = await readdir(copy.directory, { recursive: true });
  return Promise.all(
    paths.map(async (path) => `${path} ${(await stat(join(copy.directory, path))).mtimeMs}`),
  );
}

describe("dist and package.json alone, in a read-only directory", () => {
  it.each(["1", "2"])("run the gateway with WORKERS=%s, which writes no files", async (WORKERS) => {
    const before = await files();
    const env = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator", GRAPHIQL: "true", WORKERS };
    const program = copy.run(["dist/main.js"], env);
    const origin = await originOf(program);
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: '{ sipEndpoint(username: "alice") { username } }' }),
    });
    expect(await response.json()).toMatchObject({ data: { sipEndpoint: { username: "alice" } } });
    const page = await (await fetch(`${origin}/graphiql`)).text();
    expect(page).toContain("query ListSipEndpoints");
    program.child.kill();
    expect(await program.end).toBe(0);
    expect(await files()).toEqual(before);
  });

  it("run the emulator", async () => {
    const { child, output, end } = copy.run(["dist/emulator/main.js"], { EMULATOR_PORT: "0" });
    await until(() => output.stdout.includes("/_emulator/"));
    const { origin } = new URL(/address +(\S+)/.exec(output.stdout)?.[1] ?? "");
    expect((await fetch(`${origin}/_emulator/calls`)).status).toBe(200);
    child.kill();
    expect(await end).toBe(0);
  });

  it("run the command line", async () => {
    const gateway = copy.run(["dist/main.js"], { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator" });
    const origin = await originOf(gateway);
    const { output, end } = copy.run(["dist/cli/main.js", "list", "--url", origin]);
    expect(await end).toBe(0);
    expect(output).toEqual({ stdout: "alice\nbob\ncarol\ndave\n", stderr: "" });
  });

  it("generate API keys", async () => {
    const { output, end } = copy.run(["dist/auth/make-api-key.js", "mobile-app", "sip:read"]);
    await end;
    expect(output.stdout).toMatch(/pgg_[\w-]{43}[\s\S]*mobile-app:[\da-f]{64}:sip:read/);
  });

  it("print how to generate API keys without npm", async () => {
    const { output, end } = copy.run(["dist/auth/make-api-key.js"]);
    await end;
    expect(output.stderr).toContain("node dist/auth/make-api-key.js NAME SCOPE+SCOPE");
  });
});

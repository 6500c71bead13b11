import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import { bearer, sha256 } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

/** Runs the built program to its end. */
async function makeApiKey(...args: string[]) {
  const child = spawn(process.execPath, ["dist/auth/make-api-key.js", ...args]);
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { stdout, stderr, exitCode };
}

/** Returns the key and the entry that the program prints. */
function shown(stdout: string): { key: string; entry: string } {
  const [key = "", ...more] = stdout.match(/pgg_[\w-]+/g) ?? [];
  const [entry = "", ...others] = stdout.match(/^ *\S+:[\da-f]{64}:\S+$/gm) ?? [];
  expect([...more, ...others]).toEqual([]);
  return { key, entry: entry.trim() };
}

describe("npm run api-key", () => {
  it("prints a key once, and its entry with the hash of the key", async () => {
    const { stdout, stderr, exitCode } = await makeApiKey("mobile-app", "sip:read");
    expect([stderr, exitCode]).toEqual(["", 0]);
    const { key, entry } = shown(stdout);
    expect(key).toMatch(/^pgg_[\w-]{43}$/);
    expect(entry).toBe(`mobile-app:${sha256(key)}:sip:read`);
  });

  it("generates another key each time", async () => {
    const runs = await Promise.all([makeApiKey("app", "sip:read"), makeApiKey("app", "sip:read")]);
    const [one, other] = runs.map(({ stdout }) => shown(stdout).key);
    expect(one).not.toBe(other);
  });

  const read = '{ sipEndpoint(username: "alice") { username } }';
  const readPassword = '{ sipEndpoint(username: "alice") { password } }';
  const change =
    'mutation { updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { userErrors { code } } }';

  it.each([
    [["sip:read"], [read], [readPassword, change]],
    [["sip:read+sip:password"], [read, readPassword], [change]],
    [["sip:read,sip:write"], [read, change], [readPassword]],
    [["sip:write"], [change], [read, readPassword]],
    [["sip:read", "sip:write", "sip:password", "sip:read"], [read, readPassword, change], []],
  ])("generates a key that the gateway accepts, with exactly the scopes %j", async (scopes, allowed, forbidden) => {
    const { key, entry } = shown((await makeApiKey("mobile-app", ...scopes)).stdout);
    gateway = await startGateway({ gateway: { AUTH: "api-key", API_KEYS: entry } });
    for (const query of allowed) {
      const { status, errors } = await gateway.execute(query, {}, bearer(key));
      expect([status, errors]).toEqual([200, undefined]);
    }
    for (const query of forbidden) {
      const { errors } = await gateway.execute(query, {}, bearer(key));
      expect(errors).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
    }
    expect(gateway.log.filter((line) => line.includes('"who":"mobile-app"'))).not.toEqual([]);
  });

  it.each([
    ["no arguments", []],
    ["no scope", ["mobile-app"]],
    ["an empty scope", ["mobile-app", ""]],
    ["an unknown scope", ["mobile-app", "sip:admin"]],
    ["an unknown scope beside a known one", ["mobile-app", "sip:read+sip:admin"]],
    ["the scope of a person", ["mobile-app", "sip:self"]],
    ["a scope in place of the name", ["sip:read", "sip:read"]],
    ["an empty name", ["", "sip:read"]],
    ["a space in the name", ["mobile app", "sip:read"]],
    ["a comma in the name", ["mobile,app", "sip:read"]],
    ["a long name", ["x".repeat(65), "sip:read"]],
  ])("prints its usage for %s", async (_, args) => {
    const { stdout, stderr, exitCode } = await makeApiKey(...args);
    expect([stdout, exitCode]).toEqual(["", 1]);
    expect(stderr).toMatch(/^Usage: npm run api-key -- NAME SCOPE\+SCOPE\n/);
    expect(stderr).toMatch(/SCOPE {2}sip:read, sip:write, sip:password$/m);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { link, open, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { text as textOf } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { sha256 } from "../support/auth/api-keys.js";
import {
  type CommandOptions,
  type CommandResult,
  createDirectory,
  createPipe,
  runCommand,
  startCommand,
} from "../support/command-line.js";
import { storedPasswords } from "../support/emulator/stored-passwords.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { killPrograms } from "../support/program.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const KEY = "pgg_made-up-key-of-an-operator";
const READ_KEY = "pgg_made-up-key-of-a-reader";

let gateway: TestGateway;
let directory: string;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: {
      AUTH: "api-key",
      API_KEYS: `operator:${sha256(KEY)}:sip:read+sip:write+sip:password,reader:${sha256(READ_KEY)}:sip:read`,
      RATE_LIMIT_PER_MINUTE: "0",
      TRUSTED_DOCUMENTS: "enforce",
      TRUSTED_DOCUMENTS_FILE: "schema/persisted-documents.json",
      INTROSPECTION: "false",
    },
  });
});
beforeEach(async () => {
  directory = await createDirectory();
  await gateway.reset();
});
afterEach(async () => {
  await killPrograms();
  await rm(directory, { recursive: true });
});
afterAll(() => gateway.close());

function sip(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return runCommand(args, { ...options, env: { SIP_URL: gateway.origin, SIP_KEY: KEY, ...options.env } });
}

const inDirectory = (name: string) => join(directory, name);

describe("sip list", () => {
  it("prints one username a line, of all pages", async () => {
    await gateway.reset({ count: 230 });
    const { exitCode, stdout, stderr } = await sip(["list"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.trim().split("\n")).toEqual([...(await storedPasswords(gateway.piopiyUrl)).keys()]);
  });

  it.each([
    [["--contains", "LI"], ["alice"]],
    [["--starts-with", "d"], ["dave"]],
    [["--contains", "a", "--starts-with", "c"], ["carol"]],
    [["--contains", "x"], []],
  ])("prints the usernames that match %j", async (options, expected) => {
    const { stdout } = await sip(["list", "--json", ...options]);
    expect(JSON.parse(stdout)).toEqual(expected.map((username) => ({ username })));
  });

  it("ends without an error when the reader of its pipe has read enough", async () => {
    await gateway.reset({ count: 230 });
    const { child, output, end } = startCommand(["list"], { env: { SIP_URL: gateway.origin, SIP_KEY: KEY } });
    child.stdout?.destroy();
    expect([await end, output.stderr]).toEqual([0, ""]);
  });
});

describe("sip get", () => {
  it("prints an endpoint without its password", async () => {
    const { exitCode, stdout, stderr } = await sip(["get", "alice"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      "username  alice\nsipUri    sip:alice@sbc.emulator.example\naudio     true\nvideo     true\ntype      SIP\n",
    );
  });

  it("prints the password with --show-passwords only, also as JSON", async () => {
    const { stdout } = await sip(["get", "alice", "--json", "--show-passwords"]);
    expect(JSON.parse(stdout)).toMatchObject({ username: "alice", password: "made-up-Lantern-27" });
    expect((await sip(["get", "alice", "--json"])).stdout).not.toContain("made-up");
  });

  it("exits with 1 for an unknown username", async () => {
    expect(await sip(["get", "zoe"])).toEqual({
      exitCode: 1,
      stdout: "",
      stderr: 'PIOPIY has no SIP endpoint "zoe".\n',
    });
  });
});

describe("sip create", () => {
  it("writes the generated password to the password file, which only its owner can read", async () => {
    const file = inDirectory("erin.csv");
    const { exitCode, stdout } = await sip(["create", "erin", "--passwords", file]);
    const password = (await storedPasswords(gateway.piopiyUrl)).get("erin");
    expect([exitCode, stdout]).toEqual([0, "username  erin\n"]);
    expect(await readFile(file, "utf8")).toBe(`username,password\nerin,${password}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("prints the generated password with --show-passwords", async () => {
    const { stdout } = await sip(["create", "erin", "--show-passwords", "--json"]);
    const password = (await storedPasswords(gateway.piopiyUrl)).get("erin");
    expect(JSON.parse(stdout)).toEqual({ username: "erin", password });
  });

  it("sets a password from the standard input", async () => {
    const { exitCode } = await sip(["create", "erin", "--password", "-"], { input: "made-up-Cobalt-7\n" });
    expect(exitCode).toBe(0);
    expect((await storedPasswords(gateway.piopiyUrl)).get("erin")).toBe("made-up-Cobalt-7");
  });

  it("exits with 1 when the username is taken, and leaves no file", async () => {
    const taken = await sip(["create", "alice", "--passwords", inDirectory("alice.csv")]);
    expect([taken.exitCode, taken.stdout]).toEqual([1, ""]);
    expect(taken.stderr).toMatch(/^The SIP endpoint "alice" already exists.*\(USERNAME_TAKEN\)\n$/);
    expect(await readdir(directory)).toEqual([]);
  });

  it("exits with 2 for an invalid username, and sends nothing", async () => {
    const { exitCode, stderr } = await sip(["create", "a b", "--show-passwords"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('The username "a b" is invalid.')]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    ["SIGKILL", "SIGKILL", ""],
    [
      "SIGINT",
      130,
      "Interrupted. The SIP endpoint may have been created. Run the same command again to continue.\n",
    ],
  ] as const)("returns the same password when it is repeated after %s", async (signal, code, message) => {
    const file = inDirectory("erin.csv");
    const args = ["create", "erin", "--passwords", file];
    await gateway.addFault({ kind: "latency", operation: "add_sip", ms: 2000, times: 1 });
    const { child, output, end } = startCommand(args, { env: { SIP_URL: gateway.origin, SIP_KEY: KEY } });
    await until(async () => (await gateway.upstreamRequests()).length > 0);
    child.kill(signal);
    expect([await end, output.stderr]).toEqual([code, message]);
    await until(async () => (await storedPasswords(gateway.piopiyUrl)).has("erin"));
    expect(await sip(args)).toMatchObject({ exitCode: 0 });
    const password = (await storedPasswords(gateway.piopiyUrl)).get("erin");
    expect(await readFile(file, "utf8")).toBe(`username,password\nerin,${password}\n`);
    expect(await readdir(directory)).toEqual(["erin.csv"]);
  });
});

describe("sip rotate", () => {
  it("replaces the password, and refuses to overwrite a file without --force", async () => {
    const file = inDirectory("alice.csv");
    await writeFile(file, "username,password\nalice,made-up-Lantern-27\n");
    const refused = await sip(["rotate", "alice", "--passwords", file]);
    expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining("--force")]);
    expect((await storedPasswords(gateway.piopiyUrl)).get("alice")).toBe("made-up-Lantern-27");
    expect(await sip(["rotate", "alice", "--passwords", file, "--force"])).toMatchObject({ exitCode: 0 });
    const password = (await storedPasswords(gateway.piopiyUrl)).get("alice");
    expect(password).not.toBe("made-up-Lantern-27");
    expect(await readFile(file, "utf8")).toBe(`username,password\nalice,${password}\n`);
  });
});

describe("sip rotate, interrupted,", () => {
  it("says how to get the password, and leaves the password file unchanged", async () => {
    const file = inDirectory("alice.csv");
    await writeFile(file, "username,password\nalice,made-up-Lantern-27\n");
    await gateway.addFault({ kind: "latency", operation: "update_sip", ms: 2000, times: 1 });
    const args = ["rotate", "alice", "--passwords", file, "--force"];
    const { child, output, end } = startCommand(args, { env: { SIP_URL: gateway.origin, SIP_KEY: KEY } });
    await until(async () => (await gateway.upstreamRequests()).length > 0);
    child.kill("SIGINT");
    expect(await end).toBe(130);
    expect(output.stderr).toMatch(
      /^Interrupted\. The password may have been replaced\. To read it: sip get\./,
    );
    expect(await readFile(file, "utf8")).toBe("username,password\nalice,made-up-Lantern-27\n");
    expect(await readdir(directory)).toEqual(["alice.csv"]);
  });
});

describe("A password file that --force overwrites", () => {
  const OLD = "username,password\nzoe,made-up-Onyx-4\n";

  it.each([
    ["another server", ["rotate", "alice", "--url", "http://127.0.0.1:9"], 3],
    ["another key", ["rotate", "alice", "--key", "pgg_another-made-up-key"], 3],
    ["an unknown username", ["rotate", "frank"], 1],
    ["a username that is taken", ["create", "alice"], 1],
    ["an endpoint to read that does not exist", ["get", "frank"], 1],
    ["an export from another server", ["export", "--url", "http://127.0.0.1:9"], 3],
    ["an import to another server", ["import", "-", "--url", "http://127.0.0.1:9"], 3],
    ["an import of existing endpoints", ["import", "-"], 0],
  ])("is unchanged after %s", async (_, args, exitCode) => {
    const file = inDirectory("passwords.csv");
    await writeFile(file, OLD);
    const result = await sip([...args, "--passwords", file, "--force"], { input: "username\nalice\n" });
    expect(result.exitCode).toBe(exitCode);
    expect(await readFile(file, "utf8")).toBe(OLD);
    expect((await readdir(directory)).filter((name) => !name.endsWith("-key"))).toEqual(["passwords.csv"]);
  });

  it("is replaced when the first passwords arrive, also behind a link", async () => {
    const file = inDirectory("passwords.csv");
    await writeFile(file, OLD);
    await symlink(file, inDirectory("link"));
    await sip(["export", "--passwords", inDirectory("link"), "--force"]);
    expect(await readFile(file, "utf8")).toMatch(/^username,password\nalice,made-up-Lantern-27\nbob,/);
    expect((await readdir(directory)).sort()).toEqual(["link", "passwords.csv"]);
  });

  it.each([
    ["a named pipe", () => inDirectory("pipe")],
    ["a directory", () => directory],
  ])("cannot be %s", async (_, path) => {
    await createPipe(inDirectory("pipe"));
    const { exitCode, stderr } = await sip(["get", "alice", "--passwords", path(), "--force"]);
    expect([exitCode, stderr]).toEqual([2, `"${path()}" is not a regular file. Name a new file.\n`]);
  });

  it("cannot be the file that is imported", async () => {
    const [file, other] = [inDirectory("so.csv"), inDirectory("other.csv")];
    await writeFile(file, "username\nerin\n");
    await link(file, other);
    for (const passwords of [file, other]) {
      const result = await sip(["import", file, "--passwords", passwords, "--force"]);
      expect([result.exitCode, result.stderr]).toEqual([
        2,
        `The password file is the imported file "${passwords}". Name a new file with --passwords.\n`,
      ]);
    }
    expect(await readFile(file, "utf8")).toBe("username\nerin\n");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("A command that writes a password file", () => {
  it("is refused while another one writes the file, and replaces the lock of a process that has ended", async () => {
    const file = inDirectory("passwords.csv");
    await symlink(String(process.pid), `${file}.lock`);
    const refused = await sip(["get", "alice", "--passwords", file]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining(`(process ${process.pid})`),
    ]);
    const { child, end } = startCommand(["--help"]);
    await end;
    await rm(`${file}.lock`);
    await symlink(String(child.pid), `${file}.lock`);
    expect(await sip(["get", "alice", "--passwords", file])).toMatchObject({ exitCode: 0 });
    expect(await readdir(directory)).toEqual(["passwords.csv"]);
  });
});

describe("sip remove", () => {
  it("removes the endpoints, and exits with 1 for one that does not exist", async () => {
    const { exitCode, stdout, stderr } = await sip(["remove", "alice", "zoe", "bob", "--yes"]);
    expect([exitCode, stdout]).toEqual([1, "alice\nbob\n"]);
    expect(stderr).toBe('PIOPIY has no SIP endpoint "zoe". (SIP_ENDPOINT_NOT_FOUND)\n');
    expect([...(await storedPasswords(gateway.piopiyUrl)).keys()]).toEqual(["carol", "dave"]);
  });

  it("removes the endpoints whose names are on the standard input", async () => {
    const { exitCode } = await sip(["remove", "-", "--yes"], { input: "alice\r\ncarol\n\n" });
    expect(exitCode).toBe(0);
    expect([...(await storedPasswords(gateway.piopiyUrl)).keys()]).toEqual(["bob", "dave"]);
  });

  it("exits with 2 without --yes when there is no terminal, and removes nothing", async () => {
    const { exitCode, stderr } = await sip(["remove", "alice"]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--yes")]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("repeats an item that failed with a retryable error", async () => {
    await gateway.addFault({ kind: "status", operation: "remove_sip", status: 503, times: 1 });
    const { exitCode, stdout } = await sip(["remove", "alice", "--yes", "--json"]);
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { removed: ["alice"], failed: [], notSent: 0 }]);
  });
});

describe("sip export", () => {
  it("prints usernames as CSV that import accepts, and passwords on request only", async () => {
    const names = await sip(["export"]);
    expect(names).toEqual({ exitCode: 0, stderr: "", stdout: "username\nalice\nbob\ncarol\ndave\n" });
    const { stdout } = await sip(["export", "--show-passwords"]);
    expect(stdout).toMatch(/^username,password\nalice,made-up-Lantern-27\n/);
    await gateway.reset({ endpoints: [] });
    const imported = await sip(["import", "-"], { input: stdout });
    expect([imported.exitCode, imported.stderr]).toEqual([
      0,
      expect.stringContaining("created 4, existing 0, failed 0"),
    ]);
    expect((await storedPasswords(gateway.piopiyUrl)).get("alice")).toBe("made-up-Lantern-27");
  });

  it("writes passwords to the password file, in quotes where CSV needs them", async () => {
    const endpoints = [{ username: "alice", password: 'made-up, "quoted"' }];
    await gateway.reset({ endpoints });
    const file = inDirectory("all.csv");
    expect((await sip(["export", "--passwords", file])).stdout).toBe("username\nalice\n");
    expect(await readFile(file, "utf8")).toBe('username,password\nalice,"made-up, ""quoted"""\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it("names the usernames that import does not accept", async () => {
    await gateway.reset({ endpoints: [{ username: "front desk" }] });
    const { exitCode, stdout, stderr } = await sip(["export"]);
    expect([exitCode, stdout]).toEqual([0, "username\nfront desk\n"]);
    expect(stderr).toContain('"front desk"');
  });
});

describe("The command line", () => {
  it.each([
    ["with /graphql", () => ["--url", `${gateway.origin}/graphql`]],
    ["without /graphql", () => ["--url", gateway.origin]],
    ["with a slash at the end", () => ["--url", `${gateway.origin}/`]],
    ["with /graphql/", () => ["--url", `${gateway.origin}/graphql/`]],
  ])("accepts an address %s, and a key in an option, after the command too", async (_, options) => {
    const args = ["get", "alice", ...options(), "--key", READ_KEY];
    expect(await sip(args, { env: { SIP_URL: "", SIP_KEY: "" } })).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ["no command", []],
    ["an unknown command", ["lst"]],
    ["an unknown option", ["list", "--jason"]],
    ["a missing name", ["get"]],
    ["another name too many", ["get", "alice", "bob"]],
    ["no destination of the password", ["create", "erin"]],
    ["no destination of the new password", ["rotate", "alice"]],
    ["an address that is no URL", ["list", "--url", "127.0.0.1:4000"]],
    ["an address with a password", ["list", "--url", "http://me:made-up@127.0.0.1"]],
    ["a key with a space", ["list", "--key", "made up"]],
    ["a file that does not exist", ["import", "missing.csv"]],
    ["the standard output as the password file", ["get", "alice", "--passwords", "-"]],
    ["a directory that does not exist", ["get", "alice", "--passwords", "missing/alice.csv"]],
  ])("exits with 2 for %s, and sends nothing", async (_, args) => {
    const { exitCode, stdout, stderr } = await sip(args);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).not.toBe("");
    expect(stderr).not.toContain("made");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each([
    ["an unknown username", ["get", "zoe"], 1, 'PIOPIY has no SIP endpoint "zoe".'],
    ["another key", ["list", "--key", "pgg_another-made-up-key"], 3, "refuses the credential"],
    ["a gateway that is not reachable", ["export", "--url", "http://127.0.0.1:9"], 3, "is not reachable"],
    ["a mistake in an option", ["list", "--url", "x"], 2, "The address of the gateway"],
    ["an unknown option", ["list", "--jason"], 2, "unknown option '--jason'"],
    ["a missing file", ["import", "missing.csv"], 2, "cannot be read (ENOENT)"],
  ])("prints a JSON document with the error for %s", async (_, args, exitCode, message) => {
    const { stdout, stderr } = await sip([...args, "--json"]);
    expect(JSON.parse(stdout)).toEqual({ error: { exitCode, message: expect.stringContaining(message) } });
    expect(stderr).toContain(message);
  });

  it("prints the results beside the error of a removal and of an import", async () => {
    const options = ["--json", "--url", "http://127.0.0.1:9"];
    const error = { exitCode: 3, message: expect.stringContaining("is not reachable") };
    const removal = await sip(["remove", "alice", "--yes", ...options]);
    expect(JSON.parse(removal.stdout)).toEqual({ removed: [], failed: [], notSent: 1, error });
    const input = "username,password\nerin,made-up-Onyx-4\n";
    const { stdout } = await sip(["import", "-", ...options], { input });
    expect(JSON.parse(stdout)).toEqual({
      created: 0,
      existing: 0,
      failed: 0,
      notSent: 1,
      results: [],
      error,
    });
  });

  it("exits with 1 when the output cannot be written", async () => {
    const full = await open("/dev/full", "w");
    try {
      const args = [resolve("dist/cli/main.js"), "list", "--url", gateway.origin, "--key", KEY];
      const child = spawn(process.execPath, args, { stdio: ["ignore", full.fd, "pipe"] });
      const [message, [exitCode]] = await Promise.all([
        textOf(child.stderr as Readable),
        once(child, "exit"),
      ]);
      expect([exitCode, message]).toEqual([1, "The output cannot be written (ENOSPC).\n"]);
    } finally {
      await full.close();
    }
  });

  it("prints its commands and exit codes with --help", async () => {
    const { exitCode, stdout } = await sip(["--help"]);
    expect(exitCode).toBe(0);
    for (const word of [
      "list",
      "get",
      "create",
      "rotate",
      "remove",
      "import",
      "export",
      "provision",
      "Exit codes",
    ]) {
      expect(stdout).toContain(word);
    }
  });

  it("exits with 3 when the gateway is not reachable, and names the address and the cause", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { exitCode, stderr } = await sip(["list", "--url", url]);
    expect([exitCode, stderr]).toEqual([
      3,
      expect.stringContaining(`${url}/graphql is not reachable (ECONNREFUSED)`),
    ]);
    expect(stderr).not.toContain(KEY);
  });

  it.each([
    ["no key", "", "Set the key with SIP_KEY or --key."],
    ["an unknown key", "pgg_another-made-up-key", "Check the key in SIP_KEY or --key."],
  ])("exits with 3 for %s", async (_, key, advice) => {
    const { exitCode, stderr } = await sip(["list"], { env: { SIP_KEY: key } });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(advice)]);
    if (key !== "") expect(stderr).not.toContain(key);
  });

  it("exits with 3 when the key lacks a scope", async () => {
    const { exitCode, stderr } = await sip(["get", "alice", "--show-passwords"], {
      env: { SIP_KEY: READ_KEY },
    });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining("sip:password")]);
  });

  it("exits with 3 when another server is at the address", async () => {
    const server = createServer((_, response) => response.end("<html>hello</html>")).listen(0, "127.0.0.1");
    try {
      await until(() => server.listening);
      const { port } = server.address() as AddressInfo;
      const { exitCode, stderr } = await sip(["list", "--url", `http://127.0.0.1:${port}`]);
      expect([exitCode, stderr]).toEqual([
        3,
        expect.stringContaining("does not respond as the gateway does (HTTP 200)"),
      ]);
    } finally {
      server.close();
    }
  });

  it("repeats a read after a retryable error, and exits with 1 when the error remains", async () => {
    await gateway.addFault({ kind: "status", operation: "get_sip", status: 503, times: 3 });
    expect(await sip(["get", "alice"])).toMatchObject({ exitCode: 0 });
    await gateway.addFault({ kind: "garbage", operation: "get_sip", times: 1000 });
    const { exitCode, stderr } = await sip(["get", "alice"]);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/\(UPSTREAM_\w+, request [\w-]+\)/)]);
  });

  it("waits as long as the gateway asks for, and then sends the operation again", async () => {
    const times: number[] = [];
    const server = createServer((_, response) => {
      times.push(performance.now());
      const isFirst = times.length === 1;
      const refusal = { message: "Try again.", extensions: { code: "RATE_LIMITED", retryable: true } };
      response.writeHead(isFirst ? 429 : 200, { "retry-after": "2" });
      response.end(JSON.stringify(isFirst ? { errors: [refusal] } : { data: { sipEndpoint: null } }));
    }).listen(0, "127.0.0.1");
    try {
      await until(() => server.listening);
      const { port } = server.address() as AddressInfo;
      expect(await sip(["get", "zoe", "--url", `http://127.0.0.1:${port}`])).toMatchObject({ exitCode: 1 });
      expect(times).toHaveLength(2);
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1990);
    } finally {
      server.close();
    }
  });

  it("reports a filter of 10,000 letters", async () => {
    const { exitCode, stderr } = await sip(["list", "--contains", "x".repeat(10_000)]);
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/256 bytes.*\(BAD_USER_INPUT/)]);
  });

  it("names itself to the gateway", async () => {
    await sip(["list"]);
    await until(() => gateway.log.some((line) => line.includes("sip-command-line")));
  });
});

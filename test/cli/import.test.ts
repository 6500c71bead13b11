import { existsSync, readFileSync } from "node:fs";
import { appendFile, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { seededRandom } from "../chaos/seeded-random.js";
import { type CommandResult, createDirectory, runCommand, startCommand } from "../support/command-line.js";
import { storedPasswords } from "../support/emulator/stored-passwords.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { killPrograms } from "../support/program.js";
import { until } from "../support/until.js";

let gateway: TestGateway;
let directory: string;
let file: string;
let passwords: string;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: "0" } });
});
beforeEach(async () => {
  directory = await createDirectory();
  file = join(directory, "users.csv");
  passwords = join(directory, "passwords.csv");
  await gateway.reset({ endpoints: [] });
});
afterEach(async () => {
  await killPrograms();
  await rm(directory, { recursive: true });
});
afterAll(() => gateway.close());

const env = () => ({ SIP_URL: gateway.origin });
const stored = () => storedPasswords(gateway.piopiyUrl);
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `user${index}`);

async function writeUsernames(usernames: readonly string[]): Promise<void> {
  await writeFile(file, ["username", ...usernames, ""].join("\n"));
}

function runImport(...options: string[]): Promise<CommandResult> {
  return runCommand(["import", file, "--passwords", passwords, ...options], { env: env() });
}

/** Returns the lines of the password file. Each must be complete, and each username must be in one line. */
async function written(): Promise<Map<string, string>> {
  const [header, ...lines] = (await readFile(passwords, "utf8")).split("\n");
  expect([header, lines.pop()]).toEqual(["username,password", ""]);
  const logins = new Map(lines.map((line) => line.split(",") as [string, string]));
  expect(logins.size).toBe(lines.length);
  return logins;
}

/** Expects that the emulator has exactly these endpoints, and the password file exactly their passwords. */
async function expectComplete(usernames: readonly string[]): Promise<void> {
  const actual = await stored();
  expect([...actual.keys()].sort()).toEqual([...usernames].sort());
  expect([...(await written())].sort()).toEqual([...actual].sort());
  expect((await stat(passwords)).mode & 0o777).toBe(0o600);
  expect(existsSync(`${passwords}.import-key`)).toBe(false);
}

describe("sip import", () => {
  it("creates all endpoints, and writes all passwords to the password file", async () => {
    const usernames = numbered(120);
    await writeUsernames(usernames);
    const { exitCode, stdout, stderr } = await runImport();
    expect([exitCode, stdout]).toEqual([0, ""]);
    expect(stderr).toBe("50 of 120\n100 of 120\n120 of 120\ncreated 120, existing 0, failed 0\n");
    await expectComplete(usernames);
  });

  it("prints one JSON document, without passwords unless they are asked for", async () => {
    await writeFile(file, "username,password\nalice,made-up-Cobalt-7\n");
    const { stdout } = await runImport("--json");
    expect(JSON.parse(stdout)).toEqual({
      created: 1,
      existing: 0,
      failed: 0,
      notSent: 0,
      results: [{ line: 2, username: "alice", status: "done" }],
    });
    const { results } = JSON.parse((await runImport("--json", "--show-passwords")).stdout);
    expect(results).toMatchObject([{ password: "made-up-Cobalt-7" }]);
  });

  it("changes nothing with --dry-run, and reports what would be created", async () => {
    await gateway.reset({ endpoints: [{ username: "bob" }] });
    await writeUsernames(["alice", "bob"]);
    const { exitCode, stderr } = await runCommand(["import", file, "--dry-run"], { env: env() });
    expect(exitCode).toBe(0);
    expect(stderr).toContain("Dry run: would create 1, existing 1, failed 0");
    expect([...(await stored()).keys()]).toEqual(["bob"]);
  });

  it("reports with --dry-run what the import would report", async () => {
    const existing = ["bob", "carol", "dave", "erin"].map((username) => ({
      username,
      password: "made-up-Onyx-4",
    }));
    await gateway.reset({ endpoints: existing });
    await writeFile(passwords, "username,password\ndave,made-up-Onyx-4\n");
    await writeFile(
      file,
      "username,password\nbob,made-up-Cobalt-7\nerin,made-up-Onyx-4\ncarol,\ndave,\nzoe,\n",
    );
    const { exitCode, stderr } = await runImport("--dry-run");
    expect(exitCode).toBe(1);
    expect(stderr).toContain('line 2: "bob": It exists already, with another password.');
    expect(stderr).toContain('\n"carol" (line 4): Exists already, and this import did not create it');
    expect(stderr).toContain("Dry run: would create 1, existing 3, failed 1");
    expect(readFileSync(passwords, "utf8")).toBe("username,password\ndave,made-up-Onyx-4\n");
    expect((await readdir(directory)).sort()).toEqual(["passwords.csv", "users.csv"]);
    expect((await runImport()).stderr).toContain("created 1, existing 3, failed 1");
  });

  it("names five of the endpoints that it did not create", async () => {
    await gateway.reset({ endpoints: numbered(8).map((username) => ({ username })) });
    await writeUsernames(numbered(8));
    expect((await runImport()).stderr).toMatch(
      /^"user0" \(line 2\), .*"user4" \(line 6\) and 3 others: Exists already/m,
    );
  });

  it("prints JSON results in the order of the file", async () => {
    await writeUsernames(numbered(20));
    await gateway.addFault({ kind: "status", operation: "add_sip", status: 503, times: 6 });
    const { results } = JSON.parse((await runImport("--json")).stdout);
    expect(results.map(({ line }: { line: number }) => line)).toEqual(
      numbered(20).map((_, index) => index + 2),
    );
  });

  it("sends nothing that is done when it is repeated, except to check it, and changes no password", async () => {
    const usernames = numbered(3);
    await writeUsernames(usernames);
    await runImport();
    const before = await stored();
    const { exitCode, stderr } = await runImport();
    expect([exitCode, stderr]).toEqual([0, "3 of 3\ncreated 0, existing 3, failed 0\n"]);
    expect(await stored()).toEqual(before);
    await expectComplete(usernames);
  });

  it("creates a removed endpoint again, with the password of the password file", async () => {
    await writeUsernames(numbered(3));
    await runImport();
    const [first, ...others] = [...(await stored())].map(([username, password]) => ({ username, password }));
    await gateway.reset({ endpoints: others });
    expect((await runImport()).stderr).toContain("created 1, existing 2, failed 0");
    expect((await stored()).get("user0")).toBe(first?.password);
    await expectComplete(numbered(3));
  });

  it("exits with 1 when an endpoint has another password than the password file", async () => {
    await writeUsernames(["user0"]);
    await runImport();
    await gateway.reset({ endpoints: [{ username: "user0", password: "made-up-Onyx-4" }] });
    const { exitCode, stderr } = await runImport();
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining("It exists already, with another password."),
    ]);
  });

  it("reports endpoints that it did not create, whose passwords are unknown", async () => {
    await gateway.reset({
      endpoints: [{ username: "bob" }, { username: "carol", password: "made-up-Onyx-4" }],
    });
    await writeFile(file, "username,password\nalice,\nbob,\ncarol,made-up-Onyx-4\n");
    const { exitCode, stderr } = await runImport();
    expect(exitCode).toBe(0);
    expect(stderr).toContain('"bob" (line 3): Exists already, and this import did not create it');
    expect(stderr).toContain("created 1, existing 2, failed 0");
    expect([...(await written()).keys()]).toEqual(["alice", "carol"]);
  });

  it("exits with 1 when an endpoint exists with another password than the line", async () => {
    await gateway.reset({ endpoints: [{ username: "bob", password: "made-up-Onyx-4" }] });
    await writeFile(file, "username,password\nbob,made-up-Cobalt-7\n");
    const { exitCode, stderr } = await runImport();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('line 2: "bob": It exists already, with another password.');
    expect(stderr).toContain("created 0, existing 0, failed 1");
  });

  it("repeats items that failed with a retryable error", async () => {
    await writeUsernames(numbered(60));
    await gateway.addFault({ kind: "status", operation: "add_sip", status: 503, times: 4 });
    await gateway.addFault({ kind: "lose-reply", operation: "add_sip", times: 4 });
    expect(await runImport()).toMatchObject({ exitCode: 0 });
    await expectComplete(numbered(60));
  });

  it("stops when all items of a batch fail, reports what was not sent, and finishes when it is repeated", async () => {
    await writeUsernames(numbered(120));
    await gateway.addFault({ kind: "status", operation: "add_sip", status: 503, times: 1_000_000 });
    const { exitCode, stderr } = await runImport();
    expect(exitCode).toBe(1);
    expect(stderr).toContain("created 0, existing 0, failed 50, not sent 70");
    await gateway.reset({ endpoints: [] });
    // The circuit breaker may still be open.
    await until(async () => (await runImport()).exitCode === 0);
    await expectComplete(numbered(120));
  });
});

describe("sip import, killed at a random moment and repeated,", () => {
  const random = seededRandom(19);
  const moments = [random.whole(1, 330), random.whole(331, 660), random.whole(661, 990)];

  it.each(
    moments,
  )("ends with exactly the wanted state: killed after %i upstream requests", async (moment) => {
    const usernames = numbered(1000);
    await writeUsernames(usernames);
    const { child, end } = startCommand(["import", file, "--passwords", passwords], { env: env() });
    await until(async () => (await gateway.upstreamRequests()).length >= moment);
    child.kill("SIGKILL");
    expect(await end).toBe("SIGKILL");
    const created = await stored();
    expect(created.size).toBeLessThan(1000);
    const kept = existsSync(passwords) ? await written() : new Map();
    for (const [username, password] of kept) expect(created.get(username)).toBe(password);
    const { exitCode, stderr } = await runImport();
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/, failed 0\n$/)]);
    await expectComplete(usernames);
    // No password has changed.
    const after = await stored();
    for (const [username, password] of created) expect(after.get(username)).toBe(password);
  });

  it("finishes when its file was edited in between", async () => {
    await writeUsernames(numbered(200));
    const { child, end } = startCommand(["import", file, "--passwords", passwords], { env: env() });
    await until(async () => (await gateway.upstreamRequests()).length >= 70);
    child.kill("SIGKILL");
    await end;
    await writeUsernames(["zoe", ...numbered(210)]);
    expect(await runImport()).toMatchObject({ exitCode: 0 });
    await expectComplete(["zoe", ...numbered(210)]);
  });

  it("continues after Ctrl-C, which finishes the requests in progress", async () => {
    const usernames = numbered(1000);
    await writeUsernames(usernames);
    const { child, output, end } = startCommand(["import", file, "--passwords", passwords], { env: env() });
    await until(() => output.stderr.includes("100 of 1000"));
    child.kill("SIGINT");
    expect(await end).toBe(130);
    expect(output.stderr).toMatch(
      /Interrupted after \d+ of 1000 lines\. Run the same command again to continue\.\n$/,
    );
    expect([...(await written())].sort()).toEqual([...(await stored())].sort());
    expect(await runImport()).toMatchObject({ exitCode: 0 });
    await expectComplete(usernames);
  });

  it("removes a line of the password file that was cut off, and writes it again", async () => {
    const key = "0b2c6f9e-1f43-4c0e-9d55-7a3e8f21c6d4";
    await writeUsernames(numbered(3));
    await writeFile(`${passwords}.import-key`, key);
    await runImport();
    // As after a crash during the last line.
    await truncate(passwords, (await stat(passwords)).size - 5);
    await writeFile(`${passwords}.import-key`, key);
    expect(await runImport()).toMatchObject({ exitCode: 0 });
    await expectComplete(numbered(3));
  });
});

describe("The password file of an import", () => {
  it.each([
    ["has the endpoint of another import", "username,password\nzoe,made-up-Onyx-4\n"],
    ["is not a password file", "name,phone\nzoe,1\n"],
    ["is a text without a line end", "notes"],
    ["has a line without a password", "username,password\nuser0,\n"],
    ["has a line with three columns", "username,password\nuser0,made-up,x\n"],
  ])("is refused without --force when it %s", async (_, content) => {
    await writeUsernames(["user0"]);
    await writeFile(passwords, content);
    const { exitCode, stderr } = await runImport();
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--force")]);
    expect(stderr).not.toContain("made-up");
    expect(readFileSync(passwords, "utf8")).toBe(content);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect(await runImport("--force")).toMatchObject({ exitCode: 0 });
    await expectComplete(["user0"]);
  });

  it("keeps its last line when an editor has removed the line end", async () => {
    await writeUsernames(numbered(3));
    await runImport();
    const before = await stored();
    await truncate(passwords, (await stat(passwords)).size - 1);
    await appendFile(file, "user3\n");
    expect((await runImport()).stderr).toBe("4 of 4\ncreated 1, existing 3, failed 0\n");
    expect((await stored()).get("user2")).toBe(before.get("user2"));
    await expectComplete(numbered(4));
  });

  it("is continued when an editor has changed its line ends", async () => {
    await writeUsernames(numbered(2));
    await runImport();
    await writeFile(passwords, (await readFile(passwords, "utf8")).replaceAll("\n", "\r\n"));
    await appendFile(file, "user2\n");
    expect(await runImport()).toMatchObject({ exitCode: 0 });
    expect(await runImport()).toMatchObject({ exitCode: 0 });
  });

  it("is refused when another import writes it", async () => {
    await writeUsernames(numbered(1000));
    const { output, end } = startCommand(["import", file, "--passwords", passwords], { env: env() });
    await until(() => output.stderr.includes("100 of 1000"));
    const { exitCode, stderr } = await runImport();
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Another command writes the file")]);
    expect(await end).toBe(0);
    await expectComplete(numbered(1000));
  });

  it("is refused when it has another password than a line of the import", async () => {
    await writeFile(passwords, "username,password\nuser0,made-up-Onyx-4\n");
    await writeFile(file, "username,password\nuser0,made-up-Cobalt-7\n");
    const { exitCode, stderr } = await runImport();
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('line 2: "user0"')]);
    expect(stderr).not.toContain("made-up");
  });

  it("is continued when the import has more lines than before", async () => {
    await writeUsernames(numbered(2));
    await runImport();
    await appendFile(file, "user2\n");
    const { stderr } = await runImport();
    expect(stderr).toContain("created 1, existing 2, failed 0");
    await expectComplete(numbered(3));
  });
});

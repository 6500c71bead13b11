import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { createDirectory, startInTerminal } from "../support/command-line.js";
import { storedPasswords } from "../support/emulator/stored-passwords.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { killPrograms } from "../support/program.js";
import { until } from "../support/until.js";

const hasTerminal = existsSync("/usr/bin/script") || process.env.CI === "true";
const describeWithTerminal = hasTerminal ? describe : describe.skip;
if (!hasTerminal)
  process.stderr.write("Skipped: the tests of terminals need the program script of Debian.\n");

let gateway: TestGateway;
let directory: string;
beforeAll(async () => {
  gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: "0" } });
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

const start = (...args: string[]) => startInTerminal(args, { SIP_URL: gateway.origin });
const usernames = async () => [...(await storedPasswords(gateway.piopiyUrl)).keys()];

describeWithTerminal("In a terminal, sip remove", () => {
  it.each([
    ["y\r", 0, ["bob", "carol", "dave"]],
    ["n\r", 2, ["alice", "bob", "carol", "dave"]],
    ["\r", 2, ["alice", "bob", "carol", "dave"]],
    ["\u0004", 2, ["alice", "bob", "carol", "dave"]],
    ["\u0003", 2, ["alice", "bob", "carol", "dave"]],
  ])("asks, and after %j exits with %i", async (typed, exitCode, left) => {
    const { child, output, end } = start("remove", "alice");
    await until(() => output.stdout.includes('Remove "alice" permanently? [y/N]'));
    child.stdin?.write(typed);
    expect(await end).toBe(exitCode);
    expect(await usernames()).toEqual(left);
  });
});

describeWithTerminal("In a terminal, sip import", () => {
  it("shows a progress bar", async () => {
    const file = join(directory, "users.csv");
    await writeFile(file, ["username", ...Array.from({ length: 60 }, (_, n) => `user${n}`)].join("\n"));
    const { output, end } = start("import", file, "--passwords", join(directory, "passwords.csv"));
    expect(await end).toBe(0);
    expect(output.stdout).toMatch(/#+ 60 of 60/);
    expect(output.stdout).toContain("created 60, existing 0, failed 0");
  });

  it("stops after Ctrl-C, and says how to continue", async () => {
    const file = join(directory, "users.csv");
    await writeFile(file, ["username", ...Array.from({ length: 1000 }, (_, n) => `user${n}`)].join("\n"));
    const { child, output, end } = start("import", file, "--passwords", join(directory, "passwords.csv"));
    await until(async () => (await usernames()).length > 60);
    child.stdin?.write("\u0003");
    expect(await end).toBe(130);
    expect(output.stdout).toMatch(
      /Interrupted after \d+ of 1000 lines\. Run the same command again to continue\./,
    );
  });
});

describeWithTerminal("In a terminal, sip provision", () => {
  it.each([
    ["in black and white", {}, true],
    ["without colors when NO_COLOR is set", { NO_COLOR: "1" }, false],
  ])("prints the QR code %s", async (_, variables, hasColors) => {
    const env = { SIP_URL: gateway.origin, ...variables };
    const { output, end } = startInTerminal(["provision", "alice"], env);
    expect(await end).toBe(0);
    expect(output.stdout.includes("\u001b[")).toBe(hasColors);
    expect(output.stdout).toMatch(/[▀▄█]/);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type CommandResult, runCommand } from "../support/command-line.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
beforeEach(() => gateway.reset({ endpoints: [] }));
afterAll(() => gateway.close());

/** Imports a file from the standard input. */
function importText(input: string | Buffer, ...options: string[]): Promise<CommandResult> {
  return runCommand(["import", "-", "--show-passwords", ...options], {
    env: { SIP_URL: gateway.origin },
    input,
  });
}

/** Returns the lines that a message names. */
function linesOf({ stderr }: CommandResult): number[] {
  return [...stderr.matchAll(/^ {2}line (\d+): /gm)].map(([, line]) => Number(line));
}

describe("sip import reports, and sends nothing for,", () => {
  it.each<[string, string, number, string]>([
    [
      "a header with another name",
      "name\nalice\n",
      1,
      'The header must be username or username,password (got "name").',
    ],
    [
      "a header with semicolons",
      "username;password\nalice;made-up\n",
      1,
      '(got "username;password"). Save the file with commas between the columns.',
    ],
    [
      "a header in upper case",
      "Username, Password\nalice,made-up\n",
      1,
      '(got "Username, Password"). Write it in lower case and without spaces.',
    ],
    ["no header", "alice\nbob\n", 1, '(got "alice").'],
    ["an empty file", "", 1, "(got nothing)."],
    ["a header alone", "username\n", 1, "No SIP endpoint follows the header."],
    [
      "a line with 10 columns",
      "username,password\na,b,c,d,e,f,g,h,i,j\n",
      2,
      "The line has 10 columns, and the header has 2.",
    ],
    [
      "a password without its column",
      "username\nalice,made-up\n",
      2,
      "The line has 2 columns, and the header has 1.",
    ],
    ["an invalid username", "username\nfront desk\n", 2, 'The username "front desk" is invalid.'],
    ["spaces around a username", "username\n alice\n", 2, 'The username " alice" is invalid.'],
    ["an empty username", "username,password\n,made-up\n", 2, 'The username "" is invalid.'],
    ["a long username", `username\n${"a".repeat(65)}\n`, 2, "is invalid."],
    [
      "a password with a space at its end",
      "username,password\nalice,made-up \n",
      2,
      "The password is invalid.",
    ],
    ["a password with a line end", 'username,password\nalice,"made\nup"\n', 2, "The password is invalid."],
    ["a long password", `username,password\nalice,${"x".repeat(129)}\n`, 2, "The password is invalid."],
    ["a repeated username", "username\nalice\nbob\nalice\n", 4, 'The username "alice" is on line 2 too.'],
    ["a quote inside a value", 'username,password\nalice,made"up\n', 2, "The quotes are invalid"],
    [
      "a quote that is not closed",
      'username,password\nalice,made-up\nbob,"made-up\ncarol,\ndan,made-up\n',
      3,
      "A quote is not closed",
    ],
  ])("%s", async (_, text, line, message) => {
    const result = await importText(text);
    expect([result.exitCode, result.stdout]).toEqual([2, ""]);
    expect(result.stderr).toMatch(/^The standard input has 1 mistake\. No SIP endpoint has been created\.\n/);
    expect(linesOf(result)).toEqual([line]);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain("made");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("the mistakes of all lines together, in the order of the lines", async () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `user${index + 2},`);
    const mistaken = Array.from({ length: 30 }, (_, index) => 5 + 33 * index);
    const kinds = ["front desk,", "a,b,c", ",made-up", "bob,made-up ", 'x,made"up', "user2,"];
    for (const [index, line] of mistaken.entries()) lines[line - 2] = kinds[index % kinds.length] ?? "";
    // The four repetitions of user2 are mistakes, and bob is repeated too.
    const result = await importText(["username,password", ...lines, ""].join("\r\n"));
    expect(result.exitCode).toBe(2);
    expect([...new Set(linesOf(result))]).toEqual(mistaken);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("one mistake for each quote that is not closed, and the mistakes of the lines after it", async () => {
    const lines = ["username,password", 'alice,"made-up', "front desk,", 'bob,"made-up', "carol,", "a,b,c"];
    expect(linesOf(await importText([...lines, ""].join("\n")))).toEqual([2, 3, 4, 6]);
  });

  it("a file that is not UTF-8", async () => {
    const result = await importText(Buffer.from("username\nJos\xe9\n", "latin1"));
    expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining("not valid UTF-8")]);
  });

  it("a file of 100 MB", async () => {
    const result = await importText(Buffer.alloc(100_000_000, "alice,made-up\n"));
    expect([result.exitCode, result.stderr]).toEqual([
      2,
      expect.stringContaining("more than 10000000 bytes"),
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("a file with more than 100,000 lines", async () => {
    const result = await importText(`username\n${"a\n".repeat(100_001)}`);
    expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining("at most 100000")]);
  });

  it("generated passwords without a destination", async () => {
    const result = await runCommand(["import", "-"], {
      env: { SIP_URL: gateway.origin },
      input: "username,password\nalice,made-up\nbob,\n",
    });
    expect([result.exitCode, result.stderr]).toEqual([2, expect.stringContaining("--passwords FILE")]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("sip import accepts", () => {
  it.each([
    ["LF", "username\nalice\nbob\n"],
    ["CRLF", "username\r\nalice\r\nbob\r\n"],
    ["CR", "username\ralice\rbob\r"],
    ["no line end at the end", "username\nalice\nbob"],
    ["a byte order mark", "\uFEFFusername\r\nalice\r\nbob\r\n"],
    ["quotes", '"username"\n"alice"\n"bob"\n'],
    ["empty lines", "username\n\nalice\n\n\nbob\n\n"],
    ["empty passwords", "username,password\nalice,\nbob\n"],
  ])("a file with %s", async (_, text) => {
    const { exitCode, stdout, stderr } = await importText(text);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("created 2, existing 0, failed 0");
    expect(stdout).toMatch(/^username,password\nalice,[A-Za-z2-9]{22}\nbob,[A-Za-z2-9]{22}\n$/);
  });

  it("passwords with commas, quotes and letters of all languages", async () => {
    const { exitCode, stdout } = await importText('username,password\nalice,"made-up, ""quoted"" é"\n');
    expect([exitCode, stdout]).toEqual([0, 'username,password\nalice,"made-up, ""quoted"" é"\n']);
  });

  it("usernames that differ in letter case only, with a warning", async () => {
    const { exitCode, stderr } = await importText("username\nalice\nAlice\n");
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Line 3: "Alice" differs from "alice" on line 2 in letter case only.');
  });
});

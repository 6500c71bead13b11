import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type CommandResult, createDirectory, createPipe, runCommand } from "../support/command-line.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const run = promisify(execFile);
const hasReader = existsSync("/usr/bin/zbarimg") || process.env.CI === "true";
const itWithReader = hasReader ? it : it.skip;
if (!hasReader) process.stderr.write("Skipped: the tests that read QR codes need Debian's zbar-tools.\n");

let gateway: TestGateway;
let directory: string;
beforeAll(async () => {
  gateway = await startGateway();
});
beforeEach(async () => {
  directory = await createDirectory();
  await gateway.reset();
});
afterEach(() => rm(directory, { recursive: true }));
afterAll(() => gateway.close());

const inDirectory = (name: string) => join(directory, name);

function provision(...args: string[]): Promise<CommandResult> {
  return runCommand(["provision", ...args], { env: { SIP_URL: gateway.origin } });
}

/** Reads a QR code from an image. */
async function readCode(path: string): Promise<string> {
  return (
    await run("zbarimg", ["--quiet", "--raw", "--oneshot", "-Sdisable", "-Sqrcode.enable", path])
  ).stdout.trim();
}

/** The pixels of a module on each side. */
const SCALE = 4;

/** Converts a QR code of half blocks to an image in the format PGM. A character shows two modules. */
function toImage(output: string): string {
  const rows = output.split("\n").filter((line) => /^[▀▄█ ]{20,}$/.test(line));
  const lines = rows.flatMap((row) => [
    Array.from(row, (character) => ("▀█".includes(character) ? 0 : 255)),
    Array.from(row, (character) => ("▄█".includes(character) ? 0 : 255)),
  ]);
  const framed = [[], [], ...lines, [], []].map((line) => [255, 255, ...line, 255, 255]);
  const width = Math.max(...framed.map(({ length }) => length));
  const pixels = framed.flatMap((line) => {
    const filled = Array.from({ length: width }, (_, index) => line[index] ?? 255);
    return Array<string>(SCALE).fill(filled.flatMap((value) => Array<number>(SCALE).fill(value)).join(" "));
  });
  return `P2\n${width * SCALE} ${pixels.length}\n255\n${pixels.join("\n")}\n`;
}

const account = (password: string) =>
  '<?xml version="1.0" encoding="utf-8"?><AccountConfig version="1"><Account>' +
  "<RegisterServer>sbc.emulator.example</RegisterServer><UserID>alice</UserID><AuthID>alice</AuthID>" +
  `<AuthPass>${password}</AuthPass><AccountName>alice</AccountName><DisplayName>alice</DisplayName></Account></AccountConfig>`;

describe("sip provision", () => {
  itWithReader("prints the settings, and a QR code that has no password unless it is asked for", async () => {
    const { exitCode, stdout, stderr } = await provision("alice");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^username {2}alice\nhost {6}sbc\.emulator\.example\nsipUri {4}sip:alice@sbc\.emulator\.example\n/,
    );
    expect(stdout).not.toContain("made-up");
    expect(stdout).not.toContain("\u001b");
    expect(stderr).toBe("The password is not included. To include it, add --show-passwords.\n");
    await writeFile(inDirectory("code.pgm"), toImage(stdout));
    expect(await readCode(inDirectory("code.pgm"))).toBe(account(""));
  });

  itWithReader("writes a PNG file with the password, which only its owner can read", async () => {
    const png = inDirectory("alice.png");
    expect(await provision("alice", "--png", png, "--show-passwords")).toMatchObject({
      exitCode: 0,
      stderr: "",
    });
    expect(await readCode(png)).toBe(account("made-up-Lantern-27"));
    expect((await stat(png)).mode & 0o777).toBe(0o600);
  });

  itWithReader("escapes a password for XML", async () => {
    await gateway.reset({ endpoints: [{ username: "alice", password: "made&<up>\"'é" }] });
    const png = inDirectory("alice.png");
    await provision("alice", "--png", png, "--show-passwords");
    expect(await readCode(png)).toBe(account("made&#38;&#60;up&#62;&#34;&#39;&#233;"));
  });

  itWithReader("puts a link into the QR code", async () => {
    const png = inDirectory("alice.png");
    await provision("alice", "--png", png, "--link", "https://files.example/alice.xml");
    expect(await readCode(png)).toBe("https://files.example/alice.xml");
  });

  it("writes an SVG file, and refuses to overwrite it without --force", async () => {
    const svg = inDirectory("alice.svg");
    await provision("alice", "--svg", svg);
    expect(await readFile(svg, "utf8")).toMatch(/^<svg .*<\/svg>\n?$/s);
    expect(await provision("alice", "--svg", svg)).toMatchObject({ exitCode: 2 });
    expect(await provision("alice", "--svg", svg, "--force")).toMatchObject({ exitCode: 0 });
  });

  it("writes Linphone's provisioning XML", async () => {
    const xml = inDirectory("alice.xml");
    await provision("alice", "--linphone", xml, "--show-passwords");
    expect(await readFile(xml, "utf8")).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<config xmlns="http://www.linphone.org/xsds/lpconfig.xsd">
  <section name="proxy_0">
    <entry name="reg_identity" overwrite="true">sip:alice@sbc.emulator.example</entry>
    <entry name="reg_proxy" overwrite="true">&#60;sip:sbc.emulator.example&#62;</entry>
    <entry name="reg_sendregister" overwrite="true">1</entry>
  </section>
  <section name="auth_info_0">
    <entry name="username" overwrite="true">alice</entry>
    <entry name="passwd" overwrite="true">made-up-Lantern-27</entry>
    <entry name="domain" overwrite="true">sbc.emulator.example</entry>
  </section>
</config>
`);
    expect((await stat(xml)).mode & 0o777).toBe(0o600);
  });

  it("keeps the port of the SBC", async () => {
    await gateway.reset({ endpoints: [{ username: "alice", connect_URL: "sbc.example:5070" }] });
    const xml = inDirectory("alice.xml");
    const { stdout } = await provision("alice", "--linphone", xml, "--json");
    expect(JSON.parse(stdout).qrCode).toContain("<RegisterServer>sbc.example:5070</RegisterServer>");
    const content = await readFile(xml, "utf8");
    expect(content).toContain(">sip:alice@sbc.example<");
    expect(content).toContain(">&#60;sip:sbc.example:5070&#62;<");
    expect(content).toContain('<entry name="domain" overwrite="true">sbc.example<');
  });

  it("prints one JSON document with the content of the QR code", async () => {
    const { stdout } = await provision("alice", "--json", "--show-passwords");
    expect(JSON.parse(stdout)).toEqual({
      username: "alice",
      host: "sbc.emulator.example",
      sipUri: "sip:alice@sbc.emulator.example",
      password: "made-up-Lantern-27",
      qrCode: account("made-up-Lantern-27"),
    });
  });

  it("refuses a named pipe as a file, also with --force", async () => {
    const pipe = inDirectory("pipe");
    await createPipe(pipe);
    expect(await provision("alice", "--png", pipe, "--force")).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `"${pipe}" is not a regular file. Name a new file.\n`,
    });
  });

  it.each([
    ["an unknown username", ["zoe"], 1],
    ["a link that is no web address", ["alice", "--link", "javascript:alert(1)"], 2],
    [
      "a link that is too long for a QR code",
      ["alice", "--link", `https://a.example/${"x".repeat(3000)}`],
      2,
    ],
  ])("reports %s", async (_, args, exitCode) => {
    const { stderr, ...result } = await provision(...args);
    expect(result).toEqual({ exitCode, stdout: "" });
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});

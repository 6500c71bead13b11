import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { EmulatorError } from "../../src/emulator/emulator-error.js";
import { closeEmulators, startClient, until } from "./emulator-client.js";

let folder: string;
let dataFile: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "emulator-"));
  dataFile = join(folder, "endpoints.json");
});

afterEach(async () => {
  await closeEmulators();
  rmSync(folder, { recursive: true });
});

function stored(): string[] {
  const { endpoints } = JSON.parse(readFileSync(dataFile, "utf8"));
  return endpoints.map(({ username, password }: Record<string, string>) => `${username} ${password}`);
}

describe("the data file", () => {
  it("is made with the starting endpoints when it is missing, for its owner alone", async () => {
    await startClient({ dataFile });
    expect(stored().map((line) => line.split(" ")[0])).toEqual(["alice", "bob", "carol", "dave"]);
    expect(statSync(dataFile).mode & 0o777).toBe(0o600);
  });

  it("holds every change by the time it is answered", async () => {
    const client = await startClient({ dataFile });
    await client.reset({ endpoints: [{ username: "erin", password: "made-up-1" }] });
    expect(stored()).toEqual(["erin made-up-1"]);
    await client.call("add_sip", { username: "faye", password: "made-up-2" });
    expect(stored()).toEqual(["erin made-up-1", "faye made-up-2"]);
    await client.call("update_sip", { username: "erin", password: "made-up-3" });
    expect(stored()).toEqual(["erin made-up-3", "faye made-up-2"]);
    await client.call("remove_sip", { username: "erin" });
    expect(stored()).toEqual(["faye made-up-2"]);
    expect(readdirSync(folder)).toEqual(["endpoints.json"]);
  });

  it("gives the endpoints back after a restart", async () => {
    const first = await startClient({ dataFile });
    const before = { username: "erin", password: "made-up-1", connect_URL: "a.example", audio: false };
    await first.reset({ endpoints: [before, { username: "adam" }] });
    const listed = (await first.call("list_sip", { page: 1 })).text;
    await first.emulator.close();

    const second = await startClient({ dataFile });
    expect((await second.call("list_sip", { page: 1 })).text).toBe(listed);
    const { text } = await second.call("get_sip", { username: "erin" });
    expect(JSON.parse(text)).toMatchObject(before);
  });

  it("may hold no endpoints", async () => {
    writeFileSync(dataFile, '{"endpoints":[]}');
    expect(await (await startClient({ dataFile })).list()).toEqual({ count: 0, usernames: [] });
  });

  const endpoint = {
    username: "erin",
    password: "hush",
    connect_URL: "a",
    audio: true,
    video: true,
    type: "SIP",
  };

  it.each([
    ["", "not JSON"],
    ['{"endpoints":[{"password":"hush"', "not JSON"],
    ["[]", "expected object"],
    ["{}", "endpoints"],
    ['{"endpoints":[{"username":"a","password":"hush"}]}', "endpoints.0.connect_URL"],
    [JSON.stringify({ endpoints: [{ ...endpoint, audio: "hush" }] }), "endpoints.0.audio"],
    [JSON.stringify({ endpoints: [{ ...endpoint, note: "hush" }] }), "note"],
    [JSON.stringify({ endpoints: [endpoint, endpoint] }), "occurs twice"],
  ])("is refused and left untouched when it holds %s", async (text, hint) => {
    writeFileSync(dataFile, text);
    const error = await startClient({ dataFile }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EmulatorError);
    expect(String(error)).toContain(hint);
    expect(String(error)).toContain(dataFile);
    expect(String(error)).not.toContain("hush");
    expect(readFileSync(dataFile, "utf8")).toBe(text);
    expect(readdirSync(folder)).toEqual(["endpoints.json"]);
  });

  it.each([
    ["is a folder", () => folder],
    ["lies in a folder that does not exist", () => join(folder, "none", "endpoints.json")],
  ])("is refused when it %s", async (_what, path) => {
    await expect(startClient({ dataFile: path() })).rejects.toThrow(EmulatorError);
  });

  it("shows a change that cannot be kept as a real HTTP 500", async () => {
    const client = await startClient({ dataFile });
    rmSync(dataFile);
    mkdirSync(join(dataFile, "in-the-way"), { recursive: true });
    const { status, headers, text } = await client.call("remove_sip", { username: "alice" });
    expect(status).toBe(500);
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    expect(text).toContain("cannot be written");
    await until(async () => (await client.calls())[0]?.status === 500);
    expect(readdirSync(folder)).toEqual(["endpoints.json"]);
  });
});

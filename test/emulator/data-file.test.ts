import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { EmulatorError } from "../../src/emulator/settings.js";
import { closeEmulators, EmulatorClient, startClient } from "../support/emulator/emulator-client.js";
import { startGateway } from "../support/gateway/test-gateway.js";
import { killPrograms, startProgram } from "../support/program.js";
import { until } from "../support/until.js";

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
  it("is created with the starting endpoints when it is missing, readable only by its owner", async () => {
    await startClient({ dataFile });
    expect(stored().map((line) => line.split(" ")[0])).toEqual(["alice", "bob", "carol", "dave"]);
    expect(statSync(dataFile).mode & 0o777).toBe(0o600);
  });

  it("contains every change before the response is sent", async () => {
    const client = await startClient({ dataFile });
    await client.reset({ endpoints: [{ username: "erin", password: "made-up-1" }] });
    expect(stored()).toEqual(["erin made-up-1"]);
    await client.request("add_sip", { username: "faye", password: "made-up-2" });
    expect(stored()).toEqual(["erin made-up-1", "faye made-up-2"]);
    await client.request("update_sip", { username: "erin", password: "made-up-3" });
    expect(stored()).toEqual(["erin made-up-3", "faye made-up-2"]);
    await client.request("remove_sip", { username: "erin" });
    expect(stored()).toEqual(["faye made-up-2"]);
    expect(readdirSync(folder)).toEqual(["endpoints.json"]);
  });

  it("restores the endpoints after a restart", async () => {
    const first = await startClient({ dataFile });
    const before = { username: "erin", password: "made-up-1", connect_URL: "a.example", audio: false };
    await first.reset({ endpoints: [before, { username: "adam" }] });
    const listed = (await first.request("list_sip", { page: 1 })).text;
    await first.emulator.close();

    const second = await startClient({ dataFile });
    expect((await second.request("list_sip", { page: 1 })).text).toBe(listed);
    const { text } = await second.request("get_sip", { username: "erin" });
    expect(JSON.parse(text)).toMatchObject(before);
  });

  it("can contain no endpoints", async () => {
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
    [JSON.stringify({ endpoints: [{ ...endpoint, colour: "hush" }] }), "colour"],
    [JSON.stringify({ endpoints: [endpoint, endpoint] }), "occurs twice"],
  ])("is rejected and not changed when it contains %s", async (text, hint) => {
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
    ["is in a folder that does not exist", () => join(folder, "none", "endpoints.json")],
  ])("is rejected when it %s", async (_what, path) => {
    await expect(startClient({ dataFile: path() })).rejects.toThrow(EmulatorError);
  });

  it("causes an HTTP 500 when a change cannot be written", async () => {
    const client = await startClient({ dataFile });
    rmSync(dataFile);
    mkdirSync(join(dataFile, "in-the-way"), { recursive: true });
    const { status, headers, text } = await client.request("remove_sip", { username: "alice" });
    expect(status).toBe(500);
    expect(headers.get("content-type")).toMatch(/^text\/html/);
    expect(text).toContain("cannot be written");
    await until(async () => (await client.requestLog())[0]?.status === 500);
    expect(readdirSync(folder)).toEqual(["endpoints.json"]);
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["a new endpoint", "add_sip", { username: "erin", password: "made-up-9" }],
    ["a new password", "update_sip", { username: "alice", password: "made-up-9" }],
    ["a removal", "remove_sip", { username: "alice" }],
  ])("is unchanged, like the endpoints in memory, when %s cannot be written", async (_what, operation, parameters) => {
    const client = await startClient({ dataFile });
    const state = async () => [
      await client.list(),
      (await client.request("get_sip", { username: "alice" })).text,
      (await client.request("get_sip", { username: "erin" })).text,
    ];
    const before = await state();
    block();
    expect((await client.request(operation, parameters)).status).toBe(500);
    expect(await state()).toEqual(before);
    unblock();
    expect(stored().map((line) => line.split(" ")[0])).toEqual(["alice", "bob", "carol", "dave"]);
    expect((await client.request(operation, parameters)).status).toBe(200);
    expect(await state()).not.toEqual(before);
    expect(readdirSync(folder)).toEqual(["endpoints.json"]);
  });

  it("leaves endpoints, request log and faults unchanged when a reset cannot be written", async () => {
    const client = await startClient({ dataFile });
    await client.request("get_sip", { username: "alice" });
    await client.fault({ kind: "status", operation: "add_sip" });
    block();
    expect((await client.reset({ endpoints: [] })).status).toBe(500);
    expect(await client.requestLog()).toHaveLength(1);
    expect(JSON.parse((await client.send("GET", "/_emulator/faults")).text)).toHaveLength(1);
    expect((await client.list()).count).toBe(4);
  });

  it("has no endpoint whose creation through the gateway failed", async () => {
    const gateway = await startGateway({ emulator: { EMULATOR_DATA: dataFile } });
    try {
      block();
      const { errors } = await gateway.execute(
        'mutation { createSipEndpoint(input: { username: "erin" }) { username } }',
      );
      expect(errors).toHaveLength(1);
      expect((await gateway.execute('{ sipEndpoint(username: "erin") { username } }')).data).toEqual({
        sipEndpoint: null,
      });
    } finally {
      await gateway.close();
    }
  });

  it("contains exactly the accepted endpoints when the disk is full", async () => {
    // The limit on the file size makes a write fail halfway, like a full disk.
    const command = ["bash", "-c", `ulimit -f 8; exec "${process.execPath}" dist/emulator/main.js`];
    const { output } = startProgram(command, { EMULATOR_PORT: "0", EMULATOR_DATA: dataFile });
    try {
      await until(() => output.stdout.includes("/_emulator/"));
      const { origin } = new URL(/address +(\S+)/.exec(output.stdout)?.[1] ?? "");
      const client = new EmulatorClient({ url: "", origin, sipAddress: undefined, close: async () => {} });
      const accepted = ["alice", "bob", "carol", "dave"];
      const refused: string[] = [];
      for (let number = 0; number < 100; number++) {
        const username = `user-${number}`;
        const { status } = await client.request("add_sip", { username, password: "made-up-1" });
        (status === 200 ? accepted : refused).push(username);
      }
      expect([accepted.length > 4, refused.length > 0]).toEqual([true, true]);
      expect(stored().map((line) => line.split(" ")[0])).toEqual(accepted);
      expect((await client.list()).count).toBe(accepted.length);
      expect(readdirSync(folder)).toEqual(["endpoints.json"]);
      expect((await client.request("remove_sip", { username: "alice" })).status).toBe(200);
      expect((await client.request("add_sip", { username: "x", password: "y" })).status).toBe(200);
      expect(stored()).toHaveLength(accepted.length);
    } finally {
      await killPrograms();
    }
  });

  /** Replaces the file with a folder, so that no change can be written. */
  function block(): void {
    const text = readFileSync(dataFile);
    rmSync(dataFile);
    mkdirSync(dataFile);
    writeFileSync(join(dataFile, "in-the-way"), text);
  }

  function unblock(): void {
    const text = readFileSync(join(dataFile, "in-the-way"));
    rmSync(dataFile, { recursive: true });
    writeFileSync(dataFile, text);
  }
});

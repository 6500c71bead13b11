import { afterEach, describe, expect, it } from "@jest/globals";
import { EmulatorError } from "../../src/emulator/settings.js";
import { closeEmulators, startClient } from "../support/emulator/emulator-client.js";

afterEach(closeEmulators);

describe("an emulator", () => {
  it("returns its address", async () => {
    const { emulator } = await startClient();
    expect(emulator.origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(emulator.url).toBe(`${emulator.origin}/v1/endpoint/`);
  });

  it("starts with four endpoints", async () => {
    const client = await startClient();
    expect(await client.list()).toEqual({ count: 4, usernames: ["alice", "bob", "carol", "dave"] });
  });

  it("accepts only the account of its settings", async () => {
    const client = await startClient({ appId: 7, secret: "another" });
    const codeOf = async (account: object) =>
      JSON.parse((await client.request("list_sip", { page: 1, ...account })).text).code;
    expect(await codeOf({})).toBe("cmi-420");
    expect(await codeOf({ appid: 7, secret: "another" })).toBe("cmi-200");
  });

  it("shares no data with another emulator", async () => {
    const [one, other] = [await startClient(), await startClient()];
    await one.request("remove_sip", { username: "alice" });
    await one.request("update_sip", { username: "bob", password: "made-up-1" });
    await one.fault({ kind: "garbage" });
    expect((await other.list()).count).toBe(4);
    expect((await other.request("get_sip", { username: "bob" })).text).not.toContain("made-up-1");
    expect(await other.requestLog()).toHaveLength(2);
  });

  it("reports a port that is in use", async () => {
    const { emulator } = await startClient();
    const port = Number(new URL(emulator.url).port);
    const second = startClient({ port });
    await expect(second).rejects.toThrow(EmulatorError);
    await expect(second).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use. Set EMULATOR_PORT`);
  });

  it("can be closed more than once", async () => {
    const client = await startClient();
    await Promise.all([client.emulator.close(), client.emulator.close()]);
    await expect(client.list()).rejects.toThrow();
  });
});

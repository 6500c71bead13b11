import { afterEach, describe, expect, it } from "@jest/globals";
import { RequestLog } from "../../src/emulator/request-log.js";
import { closeEmulators, startClient } from "../support/emulator/emulator-client.js";
import { until } from "../support/until.js";

afterEach(closeEmulators);

describe("the request log", () => {
  it("contains requests and their responses, oldest first", async () => {
    const client = await startClient();
    await client.request("get_sip", { username: "alice" });
    await client.request("list_sip", { page: 2 });
    await client.request("remove_sip", { username: "nobody" });
    await client.request("update_sip", {});
    await client.fault({ kind: "status" });
    await client.request("get_sip", { username: "bob" });
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await client.requestLog()).toEqual([
      { operation: "get_sip", username: "alice", status: 200, code: "cmi-200", at, concurrent: 1 },
      { operation: "list_sip", page: 2, status: 200, code: "cmi-200", at, concurrent: 1 },
      { operation: "remove_sip", username: "nobody", status: 200, code: "cmi-400", at, concurrent: 1 },
      { operation: "update_sip", status: 200, code: "cmi-502", at, concurrent: 1 },
      { operation: "get_sip", username: "bob", status: 503, code: null, at, concurrent: 1, fault: "status" },
    ]);
  });

  it("contains the status and the code that were sent", async () => {
    const client = await startClient({ errors: "status", codes: "number" });
    await client.request("get_sip", { username: "nobody" });
    expect(await client.requestLog()).toEqual([expect.objectContaining({ status: 400, code: 400 })]);
  });

  it("contains the request id and the trace of a request if their headers are valid", async () => {
    const client = await startClient();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (const headers of [
      { "x-request-id": "order-66", traceparent },
      { "x-request-id": "a b", traceparent: "made-up" },
    ]) {
      const body = JSON.stringify({ appid: 2222223, secret: "emulator-secret", username: "alice" });
      const url = `${client.emulator.url}get_sip`;
      await fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body });
    }
    const entries = await client.requestLog();
    expect(entries.map((entry) => [entry.requestId, entry.traceparent])).toEqual([
      ["order-66", traceparent],
      [undefined, undefined],
    ]);
  });

  it("contains no password and no account", async () => {
    const client = await startClient();
    await client.request("add_sip", { username: "erin", password: "hush-1" });
    await client.request("update_sip", { username: "erin", password: "hush-2" });
    await client.request("add_sip", { username: ["hush-3"], password: "hush-4" });
    await client.request("get_sip", { username: "alice", secret: "hush-5" });
    await client.request("list_sip", { page: "hush-6", username: "hush-7" });
    await client.fault({ kind: "lose-reply" });
    await expect(client.request("add_sip", { username: "faye", password: "hush-8" })).rejects.toThrow();
    const { text } = await client.send("GET", "/_emulator/calls");
    expect(JSON.parse(text)).toHaveLength(6);
    expect(text).not.toMatch(/hush|emulator-secret|2222223|secret|password|appid/);
  });

  it("reports how many requests were in flight", async () => {
    const client = await startClient();
    await client.fault({ kind: "hang", times: 3 });
    const hanging = ["a", "b", "c"].map((username) =>
      client.request("get_sip", { username }).catch(() => undefined),
    );
    await until(async () => (await client.requestLog()).length === 3);
    await client.request("list_sip", { page: 1 });
    await client.request("list_sip", { page: 1 });
    expect((await client.requestLog()).map(({ concurrent }) => concurrent)).toEqual([1, 2, 3, 4, 4]);
    await client.reset();
    await Promise.all(hanging);
    await client.request("list_sip", { page: 1 });
    expect((await client.requestLog()).map(({ concurrent }) => concurrent)).toEqual([1]);
  });

  it("is limited in bytes for usernames of any length, and drops the oldest entries", async () => {
    const client = await startClient();
    for (let number = 0; number < 40; number++) {
      await client.request("get_sip", { username: `${number}-`.padEnd(1_000_000, "x") });
    }
    await client.request("get_sip", { username: "alice" });
    const { text } = await client.send("GET", "/_emulator/calls");
    expect(text.length).toBeLessThan(32 * 1024 * 1024);
    const names = JSON.parse(text).map(({ username }: { username: string }) => username.slice(0, 5));
    expect(names.length).toBeGreaterThan(10);
    expect(names.slice(-2)).toEqual(["39-xx", "alice"]);
    await client.reset();
    expect(await client.requestLog()).toEqual([]);
  });

  it("contains the newest 100,000 entries, also after it was cleared", () => {
    const log = new RequestLog();
    const add = (count: number) => {
      for (let page = 1; page <= count; page++) log.end(log.begin("list_sip", { page }), 200);
    };
    add(100);
    log.clear();
    add(250_003);
    const pages = log.list().map(({ page }) => page);
    expect(pages).toHaveLength(100_000);
    expect([pages[0], pages.at(-1)]).toEqual([150_004, 250_003]);
  });
});

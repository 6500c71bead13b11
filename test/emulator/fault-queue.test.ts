import { afterEach, describe, expect, it } from "@jest/globals";
import { closeEmulators, startClient } from "../support/emulator/emulator-client.js";

afterEach(closeEmulators);

describe("the queue of faults", () => {
  it("is used in order, each fault as often as its `times`", async () => {
    const client = await startClient();
    await client.fault({ kind: "status", status: 500, times: 2 });
    await client.fault({ kind: "status", status: 429 });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1)
      statuses.push((await client.request("list_sip", { page: 1 })).status);
    expect(statuses).toEqual([500, 500, 429, 200]);
  });

  it("skips the faults of other operations and other usernames", async () => {
    const client = await startClient();
    await client.fault({ kind: "status", status: 500, operation: "get_sip", username: "bob" });
    await client.fault({ kind: "status", status: 501, username: "alice" });
    await client.fault({ kind: "status", status: 502, operation: "list_sip" });
    const statusOf = async (operation: string, parameters: object) =>
      (await client.request(operation, { ...parameters })).status;
    expect(await statusOf("get_sip", { username: "carol" })).toBe(200);
    expect(await statusOf("update_sip", { username: "bob", password: "made-up-1" })).toBe(200);
    expect(await statusOf("list_sip", { page: 1 })).toBe(502);
    expect(await statusOf("get_sip", { username: "bob" })).toBe(500);
    expect(await statusOf("remove_sip", { username: "alice" })).toBe(501);
    expect(await statusOf("remove_sip", { username: "alice" })).toBe(200);
  });

  it("is listed, with the remaining `times`", async () => {
    const client = await startClient();
    await client.fault({ kind: "latency", ms: 0, times: 2, operation: "list_sip" });
    const { status, text } = await client.fault({ kind: "hang", username: "bob" });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual([
      { operation: "list_sip", kind: "latency", times: 2, ms: 0 },
      { username: "bob", kind: "hang", times: 1 },
    ]);
    await client.request("list_sip", { page: 1 });
    const pending = await client.send("GET", "/_emulator/faults");
    expect(JSON.parse(pending.text)).toMatchObject([{ times: 1 }, { times: 1 }]);
    await client.reset();
    expect((await client.send("GET", "/_emulator/faults")).text).toBe("[]");
  });

  it.each([
    [{}, "kind"],
    [{ kind: "explode" }, "lose-reply"],
    [{ kind: "reset", operation: "get" }, "get_sip"],
    [{ kind: "reset", times: 0 }, "times"],
    [{ kind: "reset", times: "2" }, "times"],
    [{ kind: "latency" }, "ms: required for kind latency"],
    [{ kind: "latency", ms: -1 }, "ms"],
    [{ kind: "status", status: 99 }, "status"],
    [{ kind: "status", status: 503, retryAfter: -1 }, "retryAfter"],
    [{ kind: "reset", username: "" }, "username"],
    [{ kind: "reset", operation: "list_sip", username: "bob" }, "username: not allowed for list_sip"],
    [{ kind: "reset", delay: 3 }, "delay"],
  ])("rejects %j and reports the problem", async (fault, hint) => {
    const client = await startClient();
    const { status, text } = await client.fault(fault);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({ error: expect.stringContaining(hint) });
    expect((await client.send("GET", "/_emulator/faults")).text).toBe("[]");
  });
});

import { afterEach, describe, expect, it } from "@jest/globals";
import {
  closeEmulators,
  type EmulatorClient,
  startClient,
  until,
} from "../support/emulator/emulator-client.js";

afterEach(closeEmulators);

const erin = { username: "erin", password: "made-up-1" };

function create(client: EmulatorClient, signal?: AbortSignal) {
  return client.call("add_sip", erin, signal);
}

async function doesErinExist(client: EmulatorClient): Promise<boolean> {
  return (await client.list()).usernames.includes("erin");
}

/** How a call ended that got no answer. */
async function causeOf(reply: Promise<unknown>): Promise<unknown> {
  const error = await reply.then(
    () => undefined,
    (reason: { cause?: { code?: unknown } }) => reason,
  );
  return error?.cause?.code;
}

describe("a fault", () => {
  it("resets the connection without the work", async () => {
    const client = await startClient();
    await client.fault({ kind: "reset" });
    expect(await causeOf(create(client))).toBe("ECONNRESET");
    expect(await doesErinExist(client)).toBe(false);
  });

  it("loses the reply after the work", async () => {
    const client = await startClient();
    await client.fault({ kind: "lose-reply" });
    expect(await causeOf(create(client))).toBe("ECONNRESET");
    expect(await doesErinExist(client)).toBe(true);
  });

  it.each([
    [{}, 503, "Service Unavailable", null],
    [{ status: 429, retryAfter: 7 }, 429, "Too Many Requests", "7"],
    [{ status: 502 }, 502, "Bad Gateway", null],
    [{ status: 599 }, 599, "599", null],
  ])("answers a status without the work: %j", async (fault, status, text, retryAfter) => {
    const client = await startClient();
    await client.fault({ kind: "status", ...fault });
    const reply = await create(client);
    expect(reply.status).toBe(status);
    expect(reply.headers.get("content-type")).toMatch(/^text\/html/);
    expect(reply.headers.get("retry-after")).toBe(retryAfter);
    expect(reply.text).toContain(`<pre>${text}</pre>`);
    expect(await doesErinExist(client)).toBe(false);
  });

  it("answers garbage without the work", async () => {
    const client = await startClient();
    await client.fault({ kind: "garbage" });
    const reply = await create(client);
    expect(reply.status).toBe(200);
    expect(reply.headers.get("content-type")).toMatch(/^text\/html/);
    expect(reply.text).toMatch(/^<!DOCTYPE html>/);
    expect(await doesErinExist(client)).toBe(false);
  });

  it("delays the work, which is done even if the caller has left", async () => {
    const client = await startClient();
    await client.fault({ kind: "latency", ms: 300 });
    const leaving = new AbortController();
    const reply = causeOf(create(client, leaving.signal));
    await until(async () => (await client.calls()).length === 1);
    expect(await doesErinExist(client)).toBe(false);
    leaving.abort();
    await reply;
    await until(() => doesErinExist(client));
    expect((await client.calls())[0]).toMatchObject({ status: null, code: null, fault: "latency" });
  });

  it("delays the answer and then gives the usual one", async () => {
    const client = await startClient();
    await client.fault({ kind: "latency", ms: 20 });
    expect(JSON.parse((await create(client)).text)).toMatchObject({ code: "cmi-200", username: "erin" });
  });

  it("hangs until a reset, without the work", async () => {
    const client = await startClient();
    await client.fault({ kind: "hang" });
    const reply = causeOf(create(client));
    await until(async () => (await client.calls()).length === 1);
    expect(await client.calls()).toEqual([
      expect.objectContaining({ operation: "add_sip", status: null, code: null, fault: "hang" }),
    ]);
    await client.reset();
    expect(await reply).toBe("ECONNRESET");
    expect(await doesErinExist(client)).toBe(false);
  });

  it.each([
    { kind: "hang" },
    { kind: "latency", ms: 600_000 },
  ])("ends with the emulator: %j", async (fault) => {
    const client = await startClient();
    await client.fault({ ...fault, times: 50 });
    const replies = Array.from({ length: 50 }, () => causeOf(client.call("list_sip", { page: 1 })));
    await until(async () => (await client.calls()).length === 50);
    await client.emulator.close();
    expect(new Set(await Promise.all(replies))).toEqual(new Set(["ECONNRESET"]));
  });

  it("ends a hanging call when its caller leaves", async () => {
    const client = await startClient();
    await client.fault({ kind: "hang" });
    const leaving = new AbortController();
    const reply = causeOf(create(client, leaving.signal));
    await until(async () => (await client.calls()).length === 1);
    leaving.abort();
    await reply;
    await until(async () => {
      await client.call("list_sip", { page: 1 });
      return (await client.calls()).at(-1)?.concurrent === 1;
    });
    expect(await doesErinExist(client)).toBe(false);
  });
});

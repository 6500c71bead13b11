import { afterEach, describe, expect, it } from "@jest/globals";
import { closeEmulators, type EmulatorClient, startClient } from "../support/emulator/emulator-client.js";
import { until } from "../support/until.js";

afterEach(closeEmulators);

const erin = { username: "erin", password: "made-up-1" };

function create(client: EmulatorClient, signal?: AbortSignal) {
  return client.request("add_sip", erin, signal);
}

async function doesErinExist(client: EmulatorClient): Promise<boolean> {
  return (await client.list()).usernames.includes("erin");
}

/** Returns the error code of a request that got no response. */
async function causeOf(response: Promise<unknown>): Promise<unknown> {
  const error = await response.then(
    () => undefined,
    (reason: { cause?: { code?: unknown } }) => reason,
  );
  return error?.cause?.code;
}

describe("a fault", () => {
  it("resets the connection without executing the operation", async () => {
    const client = await startClient();
    await client.fault({ kind: "reset" });
    expect(await causeOf(create(client))).toBe("ECONNRESET");
    expect(await doesErinExist(client)).toBe(false);
  });

  it("executes the operation and loses the response", async () => {
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
  ])("returns a status without executing the operation: %j", async (fault, status, text, retryAfter) => {
    const client = await startClient();
    await client.fault({ kind: "status", ...fault });
    const response = await create(client);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(response.headers.get("retry-after")).toBe(retryAfter);
    expect(response.text).toContain(`<pre>${text}</pre>`);
    expect(await doesErinExist(client)).toBe(false);
  });

  it("returns a body that is not JSON, without executing the operation", async () => {
    const client = await startClient();
    await client.fault({ kind: "garbage" });
    const response = await create(client);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    expect(response.text).toMatch(/^<!DOCTYPE html>/);
    expect(await doesErinExist(client)).toBe(false);
  });

  it("delays the operation, which is executed even if the client disconnects", async () => {
    const client = await startClient();
    await client.fault({ kind: "latency", ms: 300 });
    const leaving = new AbortController();
    const response = causeOf(create(client, leaving.signal));
    await until(async () => (await client.requestLog()).length === 1);
    expect(await doesErinExist(client)).toBe(false);
    leaving.abort();
    await response;
    await until(() => doesErinExist(client));
    expect((await client.requestLog())[0]).toMatchObject({ status: null, code: null, fault: "latency" });
  });

  it("delays the response and then sends the normal one", async () => {
    const client = await startClient();
    await client.fault({ kind: "latency", ms: 20 });
    expect(JSON.parse((await create(client)).text)).toMatchObject({ code: "cmi-200", username: "erin" });
  });

  it("hangs until a reset, without executing the operation", async () => {
    const client = await startClient();
    await client.fault({ kind: "hang" });
    const response = causeOf(create(client));
    await until(async () => (await client.requestLog()).length === 1);
    expect(await client.requestLog()).toEqual([
      expect.objectContaining({ operation: "add_sip", status: null, code: null, fault: "hang" }),
    ]);
    await client.reset();
    expect(await response).toBe("ECONNRESET");
    expect(await doesErinExist(client)).toBe(false);
  });

  it.each([
    { kind: "hang" },
    { kind: "latency", ms: 600_000 },
  ])("ends when the emulator closes: %j", async (fault) => {
    const client = await startClient();
    await client.fault({ ...fault, times: 50 });
    const responses = Array.from({ length: 50 }, () => causeOf(client.request("list_sip", { page: 1 })));
    await until(async () => (await client.requestLog()).length === 50);
    await client.emulator.close();
    expect(new Set(await Promise.all(responses))).toEqual(new Set(["ECONNRESET"]));
  });

  it("ends a hanging request when its client disconnects", async () => {
    const client = await startClient();
    await client.fault({ kind: "hang" });
    const leaving = new AbortController();
    const response = causeOf(create(client, leaving.signal));
    await until(async () => (await client.requestLog()).length === 1);
    leaving.abort();
    await response;
    await until(async () => {
      await client.request("list_sip", { page: 1 });
      return (await client.requestLog()).at(-1)?.concurrent === 1;
    });
    expect(await doesErinExist(client)).toBe(false);
  });
});

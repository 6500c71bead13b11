import { afterEach, describe, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { freePort } from "../support/redis.js";

const env = {
  PORT: "0",
  AUTH: "none",
  PIOPIY_URL: "emulator",
  ANSWER_URL_SECRET: "made-up-secret-of-an-answer-url-that-is-long",
};

let gateway: BuiltGateway | undefined;
afterEach(async () => {
  gateway?.child.kill("SIGKILL");
  await gateway?.end;
  gateway = undefined;
});

async function post(url: string, body: object) {
  const headers = { "content-type": "application/json" };
  return (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** Starts a gateway with these variables. Returns one of its answer URLs, and a function that calls it through the emulator. */
async function answerUrlWith(more: Record<string, string>) {
  gateway = await startBuiltGateway({ ...env, ...more });
  const query = '{ connectAction(input: { call: [{ user: "alice" }] }) { answerUrl } }';
  const { data } = await post(`${gateway.origin}/graphql`, { query });
  const { answerUrl } = data.connectAction;
  const emulator = new URL(/at (http:\S+),/.exec(gateway.output.stdout)?.[1] ?? "").origin;
  const call = () => post(`${emulator}/_emulator/call`, { to: 914471000000, from: 919999900000, answerUrl });
  return { answerUrl, origin: gateway.origin, call };
}

describe("An answer URL on the embedded emulator", () => {
  it.each([
    ["a port that the system chooses", {}],
    ["several workers", { WORKERS: "2" }],
    ["an IPv6 address", { HOST: "::1" }],
    ["an empty PUBLIC_URL", { PUBLIC_URL: "" }],
  ])("has the address that the gateway listens on, with %s", async (_, more) => {
    const { answerUrl, origin, call } = await answerUrlWith(more);
    expect(new URL(answerUrl).origin).toBe(origin);
    expect(await call()).toMatchObject({ document: [{ action: "connect" }] });
  });

  it.each(["1", "2"])("has the port PORT, with WORKERS=%s", async (WORKERS) => {
    const port = await freePort();
    const { answerUrl, call } = await answerUrlWith({ PORT: String(port), WORKERS });
    expect(new URL(answerUrl).origin).toBe(`http://127.0.0.1:${port}`);
    expect(await call()).toMatchObject({ document: [{ action: "connect" }] });
  });

  it.each(["0.0.0.0", "::"])("has a loopback address when the gateway listens on %s", async (HOST) => {
    const { answerUrl, call } = await answerUrlWith({ HOST });
    expect(new URL(answerUrl).hostname).toBe(HOST === "::" ? "[::1]" : "127.0.0.1");
    expect(await call()).toMatchObject({ document: [{ action: "connect" }] });
  });

  it.each(["1", "2"])("begins with PUBLIC_URL if it is set, with WORKERS=%s", async (WORKERS) => {
    const { answerUrl } = await answerUrlWith({ PUBLIC_URL: "https://calls.example.com/sip/", WORKERS });
    expect(answerUrl).toMatch(/^https:\/\/calls\.example\.com\/sip\/answer\/[\w.-]+$/);
  });
});

import { afterEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { AuditLog } from "../../src/auth/audit-log.js";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { exchange } from "../support/http/raw-http.js";
import { until } from "../support/until.js";

const read = '{ sipEndpoint(username: "alice") { username } }';

let gateway: TestGateway;
let issuer: Issuer | undefined;
afterEach(async () => {
  await gateway.close();
  await issuer?.close();
  issuer = undefined;
});

const execute = async (headers: Record<string, string>) => (await gateway.execute(read, {}, headers)).status;
const logged = () => gateway.log.map((line) => JSON.parse(line));
const audited = () => logged().filter(({ name }) => name === "audit");

describe("Clients that share an address with an invalid client", () => {
  it.each([
    ["invalid credentials", bearer("made-up"), [401, 429]],
    ["no credentials", {}, [401]],
    ["credentials of another scheme", { authorization: "Basic bWFkZTp1cA==" }, [401]],
  ])("are accepted while it sends %s, and the log stays short", async (_, headers, statuses) => {
    gateway = await startGateway({ gateway: { ...apiKeys({ good: "sip:read" }), LOG_LEVEL: "info" } });
    const strange: number[] = [];
    const good: number[] = [];
    for (let round = 0; round < 20; round++) {
      const both = Array.from({ length: 10 }, () => [execute(headers), execute(bearer("good"))] as const);
      for (const [stranger, client] of both) {
        strange.push(await stranger);
        good.push(await client);
      }
    }
    expect(new Set(good)).toEqual(new Set([200]));
    expect([...new Set(strange)]).toEqual(statuses);
    const lines = logged().filter(({ msg }) => msg !== "request completed");
    // There are two kinds of entries, with two entries each per ten seconds. A busy machine may need several times ten seconds.
    expect(lines.length).toBeLessThan(50);
    await gateway.close();
    const counted = audited().map(({ what, count = 1 }) => (what === "login" ? count : 0));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(200);
  });

  it("are accepted with tokens of a known key while requests for unknown keys hang", async () => {
    const key = await startWithIssuer();
    expect(await execute(bearer(await sign(key)))).toBe(200);
    const held: { end(): void }[] = [];
    issuer?.respond((response) => held.push(response));
    const invented = await Promise.all(Array.from({ length: 50 }, (_, n) => sign(key, {}, `invented-${n}`)));
    let ended = 0;
    const strange = invented.map((token) => execute(bearer(token)).finally(() => ended++));
    await until(() => held.length > 0);
    const good = await Promise.all(Array.from({ length: 50 }, async () => execute(bearer(await sign(key)))));
    expect(new Set(good)).toEqual(new Set([200]));
    expect(ended).toBe(0);
    issuer?.respond(undefined);
    for (const response of held) response.end();
    expect(new Set(await Promise.all(strange))).toEqual(new Set([503]));
  });

  it("cause one log entry per request to the issuer of tokens while the issuer fails", async () => {
    const key = await startWithIssuer();
    issuer?.respond((response) => response.writeHead(500).end());
    const invented = await Promise.all(Array.from({ length: 50 }, (_, n) => sign(key, {}, `invented-${n}`)));
    expect(new Set(await Promise.all(invented.map((token) => execute(bearer(token)))))).toEqual(
      new Set([503]),
    );
    const entries = logged().filter(({ level }) => level >= 50);
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.length).toBeLessThanOrEqual(Number(issuer?.fetches()));
    expect(audited()).toMatchObject([{ what: "login", outcome: "UPSTREAM_UNAVAILABLE" }]);
  });

  it("have their answer URLs served while it exceeds the limit on invalid ones", async () => {
    const answerUrls = {
      PUBLIC_URL: "http://127.0.0.1:1",
      ANSWER_URL_SECRET: "made-up-and-longer-than-32-characters",
    };
    gateway = await startGateway({ gateway: { ...answerUrls, LOG_LEVEL: "info" } });
    const { data } = await gateway.execute<{ connectAction: { answerUrl: string } }>(
      '{ connectAction(input: { call: [{ user: "alice" }] }) { answerUrl } }',
    );
    const bad = (more: string) =>
      `POST /answer/made-up HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n${more}\r\n`;
    // A connection may pipeline 100 requests.
    const batch = bad("").repeat(99) + bad("connection: close\r\n");
    const statuses = new Map<number, number>();
    for (let nth = 0; nth < 70; nth++) {
      for (const { status } of await exchange(gateway.origin, batch)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(statuses)).toEqual({ 404: 6000, 429: 1000 });
    const path = new URL(data.connectAction.answerUrl).pathname;
    expect((await fetch(gateway.origin + path, { method: "POST" })).status).toBe(200);
    expect(logged().filter(({ msg }) => msg === "call answered")).toHaveLength(1);
    const rejected = logged().filter(({ msg }) => msg === "request rejected");
    expect(rejected.filter(({ status }) => status === 404)).toHaveLength(6000);
    expect(rejected.filter(({ status }) => status === 429)).toHaveLength(1000);
  });

  it("are accepted after its requests that are not GraphQL, each of which has at most one log entry", async () => {
    gateway = await startGateway({ gateway: { ...apiKeys({ good: "sip:read" }), LOG_LEVEL: "info" } });
    const before = gateway.log.length;
    const close = "connection: close\r\n\r\n";
    const requests = [
      `GET /nothing HTTP/1.1\r\nhost: localhost\r\n${close}`,
      `GET /%E0%A4%A HTTP/1.1\r\nhost: localhost\r\n${close}`,
      `DELETE /graphql HTTP/1.1\r\nhost: localhost\r\n${close}`,
      `GET / HTTP/1.1\r\n${close}`,
      "no HTTP\r\n\r\n",
      `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n${close}`,
      `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: made/up\r\ncontent-length: 2\r\n${close}{}`,
    ];
    for (const bytes of Array.from({ length: 10 }, () => requests).flat()) {
      await exchange(gateway.origin, bytes);
    }
    // Only the last of the seven requests needs a credential. The audit log combines its refusals.
    const entries = gateway.log.slice(before).map((line) => JSON.parse(line));
    expect(entries.filter(({ msg }) => msg === "request rejected")).toHaveLength(60);
    expect(entries.filter(({ msg }) => msg !== "request rejected")).toMatchObject([{ name: "audit" }]);
    expect(await execute(bearer("good"))).toBe(200);
  });
});

/** Starts a gateway with AUTH=jwt, and returns the key of its issuer. */
async function startWithIssuer(): Promise<SigningKey> {
  issuer = await startIssuer();
  const key = await makeKey("key-1");
  await issuer.publish(key);
  gateway = await startGateway({ gateway: { ...issuer.settings, LOG_LEVEL: "info" } });
  return key;
}

describe("The audit log of many invalid clients", () => {
  const entry = {
    what: "login",
    outcome: "UNAUTHENTICATED",
    reason: "expired",
    requestId: "r",
    address: "192.0.2.1",
  } as const;
  const start = (intervalMs?: number) => {
    const lines: { what: string; count?: number; who?: string; reason?: string }[] = [];
    const write = (line: string) => lines.push(JSON.parse(line));
    return { lines, audit: new AuditLog(pino({}, { write }), intervalMs) };
  };

  it("writes an entry with the count at the end of the interval, and starts again", async () => {
    const { lines, audit } = start(20);
    for (let nth = 0; nth < 3; nth++) audit.recordRefusal("one", entry);
    audit.recordRefusal("other", entry);
    expect(lines.map(({ count }) => count)).toEqual([undefined, undefined]);
    await until(() => lines.length === 3);
    expect(lines.at(-1)).toMatchObject({ what: "login", address: "192.0.2.1", count: 2 });
    await until(() => {
      const before = lines.length;
      audit.recordRefusal("one", entry);
      return lines.length > before && lines.at(-1)?.count === undefined;
    });
  });

  it("counts those beyond 10,000 in one shared entry, which names no client and no reason", () => {
    const { lines, audit } = start();
    for (let nth = 0; nth < 20_000; nth++)
      audit.recordRefusal(`stranger ${nth}`, { ...entry, who: `${nth}` });
    for (let nth = 0; nth < 20_000; nth++)
      audit.recordRefusal(`stranger ${nth}`, { ...entry, who: `${nth}` });
    expect(lines.length).toBeLessThan(10_010);
    audit.close();
    const counted = lines.filter(({ count }) => count !== undefined);
    expect(counted.length).toBeLessThan(10_010);
    expect(
      counted.filter(({ what }) => what !== "login").map(({ what, who, reason }) => [what, who, reason]),
    ).toEqual([["other refusals", undefined, undefined]]);
    expect(lines.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(40_000);
  });
});

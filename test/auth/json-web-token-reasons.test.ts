import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { base64url, UnsecuredJWT } from "jose";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import {
  goodClaims,
  type Issuer,
  makeKey,
  type SigningKey,
  sign,
  signByPublicKey,
  signWithoutId,
  startIssuer,
} from "../support/auth/json-web-tokens.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let issuer: Issuer;
let key: SigningKey;
let stranger: SigningKey;
let gateway: TestGateway;
beforeAll(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  stranger = await makeKey("key-of-a-stranger");
  await issuer.publish(key);
  gateway = await startGateway({ gateway: { ...issuer.settings, TRUSTED_PROXIES: "127.0.0.1" } });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});

// Each test comes from another address, since refusals of one address and reason are aggregated.
let address = 0;
beforeEach(() => {
  address += 1;
});
const send = (headers: Record<string, string>) =>
  gateway.execute("{ __typename }", {}, { ...headers, "x-forwarded-for": `198.51.100.${address}` });

interface Entry {
  readonly name?: string;
  readonly level: number;
  readonly msg: string;
  readonly reason?: string;
  readonly count?: number;
  readonly outcome?: string;
}

/** Returns the log entries that `act` causes. */
async function entriesOf(act: () => Promise<unknown>): Promise<Entry[]> {
  const before = gateway.log.length;
  await act();
  return gateway.log.slice(before).map((line) => JSON.parse(line));
}

const now = () => Math.floor(Date.now() / 1000);
const encode = (json: object) => base64url.encode(JSON.stringify(json));
const tokens: [string, string, () => string | Promise<string>][] = [
  ["expired", "that has expired", () => sign(key, { exp: now() - 60 })],
  ["no-expiry", "without `exp`", () => sign(key, { exp: undefined })],
  ["not-yet-valid", "of the future", () => sign(key, { nbf: now() + 600 })],
  ["audience", "for another audience", () => sign(key, { aud: "another-graph" })],
  ["audience", "without `aud`", () => sign(key, { aud: undefined })],
  ["issuer", "of another issuer", () => sign(key, { iss: "https://another.example.com/" })],
  ["issuer", "without `iss`", () => sign(key, { iss: undefined })],
  ["signature", "of an unknown key", () => sign(stranger)],
  ["signature", "of another key with a known id", () => sign(stranger, {}, key.id)],
  ["signature", "of an unknown key without an id", () => signWithoutId(stranger)],
  ["signature", "without a signature", async () => (await sign(key)).replace(/[^.]+$/, "")],
  ["algorithm", "that is not signed", () => new UnsecuredJWT(goodClaims).encode()],
  ["algorithm", "with a symmetric algorithm", () => signByPublicKey(key)],
  ["malformed", "without dots", () => "made-up"],
  ["malformed", "of five parts", () => "a.b.c.d.e"],
  [
    "malformed",
    "with an unknown critical header",
    () => `${encode({ alg: "ES256", crit: ["x"], x: 1 })}.e30.AA`,
  ],
  ["malformed", "whose expiry is a string", () => sign(key, { exp: "tomorrow" })],
  ["malformed", "whose start is a string", () => sign(key, { nbf: "today" })],
];

describe("The reason of a refused token", () => {
  it.each(
    tokens,
  )("is %s for a token %s: in the audit log and the log, not in the response", async (reason, _, make) => {
    const token = await make();
    let response: unknown;
    const entries = await entriesOf(async () => {
      response = await send(bearer(token));
    });
    expect(response).toMatchObject({ status: 401, errors: [{ extensions: { code: "UNAUTHENTICATED" } }] });
    const { errors } = await send({});
    const masked = (text: unknown) => JSON.stringify(text).replaceAll(/"requestId":"[^"]+"/g, "");
    expect(masked((response as { errors: unknown }).errors)).toBe(masked(errors));
    expect(entries.map(({ name, level, msg, reason }) => [name, level, msg, reason])).toEqual([
      [undefined, 20, "credential rejected", reason],
      ["audit", 30, "audit", reason],
    ]);
    const parts = token.split(".").filter((part) => part.length > 5);
    expect(parts.filter((part) => JSON.stringify(entries).includes(part))).toEqual([]);
  });

  it("is in the documentation", () => {
    const page = readFileSync("docs/authentication.md", "utf8");
    const [, table = ""] = /^\| reason \|(.*?)^$/ms.exec(page) ?? [];
    const reasons = [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, reason]) => reason);
    const found = ["missing", "unknown-key", ...tokens.map(([reason]) => reason)];
    expect(reasons.sort()).toEqual([...new Set(found)].sort());
  });

  it("is counted separately from other reasons", async () => {
    const expired = bearer(await sign(key, { exp: now() - 60 }));
    const foreign = bearer(await sign(key, { aud: "another-graph" }));
    const audit = (entries: Entry[]) =>
      entries
        .filter(({ name }) => name === "audit")
        .map(({ outcome, reason, count }) => [outcome, reason, count]);
    const refusals = await entriesOf(async () => {
      for (const headers of [expired, foreign, {}, expired, foreign, expired, {}]) await send(headers);
    });
    expect(audit(refusals)).toEqual([
      ["UNAUTHENTICATED", "expired", undefined],
      ["UNAUTHENTICATED", "audience", undefined],
      ["UNAUTHENTICATED", "missing", undefined],
    ]);
    const counted = audit(await entriesOf(() => gateway.close()));
    expect(counted).toEqual(
      expect.arrayContaining([
        ["UNAUTHENTICATED", "expired", 2],
        ["UNAUTHENTICATED", "audience", 1],
      ]),
    );
    gateway = await startGateway({ gateway: apiKeys({ reader: "sip:read" }) });
    expect(audit(await entriesOf(() => send(bearer("made-up"))))).toEqual([
      ["UNAUTHENTICATED", "unknown-key", undefined],
    ]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const proxies = { TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48" };
const remove = 'mutation { removeSipEndpoint(input: { username: "nobody" }) { username } }';
const long = "x".repeat(8000);

describe("The address of a client behind trusted proxies", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ gateway: proxies });
  });
  afterAll(() => gateway.close());

  /** Returns the client of one request, as in the audit log. */
  async function clientOf(forwarded: string): Promise<unknown> {
    const before = gateway.log.length;
    expect(await gateway.execute(remove, {}, { "x-forwarded-for": forwarded })).toMatchObject({
      status: 200,
    });
    const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
    return lines.filter(({ name }) => name === "audit").map(({ address, who }) => ({ address, who }))[0];
  }

  it.each([
    ["alone", "203.0.113.8", "203.0.113.8"],
    ["with a port", "203.0.113.8:50001", "203.0.113.8"],
    ["in brackets with a port", "[2001:db8::1]:50001", "2001:db8::1"],
    ["in brackets", "[2001:db8::1]", "2001:db8::1"],
    ["in full form", "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["with a zone", "fe80::1%eth0", "fe80::1"],
    ["as an IPv4-mapped address", "::ffff:203.0.113.8", "203.0.113.8"],
    ["as an IPv4-mapped address in hexadecimal", "[::FFFF:cb00:7108]:443", "203.0.113.8"],
    ["after an address that the client claims", "198.51.100.1, 203.0.113.8:1", "203.0.113.8"],
    ["before a trusted hop", "203.0.113.8, 10.1.2.3", "203.0.113.8"],
    ["before a trusted hop with a port", "203.0.113.8:50001, 10.1.2.3:4711", "203.0.113.8"],
    ["before a trusted IPv4-mapped hop", "203.0.113.8, ::ffff:10.1.2.3", "203.0.113.8"],
    ["before a trusted IPv6 hop with a port", "203.0.113.8, [2001:db8:ffff::7]:80", "203.0.113.8"],
  ])("is parsed when it is written %s", async (_, forwarded, address) => {
    expect(await clientOf(forwarded)).toMatchObject({ address });
  });

  it.each([
    ["a word", "made-up"],
    ["8 kB of text", long],
    ["a log entry", '{"who":"admin"}'],
    ["half an address", "203.0.113"],
    ["an address with a number too large", "203.0.113.999"],
    ["an address with a word as its port", "203.0.113.8:http"],
    ["an address with a name", "203.0.113.8 admin"],
    ["an identifier that hides the address", "_hidden"],
    ["an IPv6 address with too many groups", "2001:db8:1:2:3:4:5:6:7"],
    ["an address before text", "203.0.113.8, made-up"],
    ["nothing", " , "],
  ])("is that of the connection when the header contains %s", async (_, forwarded) => {
    expect(await clientOf(forwarded)).toEqual({ address: "127.0.0.1", who: "127.0.0.1" });
    expect(gateway.log.join("")).not.toContain(long.slice(0, 200));
  });

  it("is that of the nearest hop with an address when other text precedes it", async () => {
    expect(await clientOf("made-up, 10.1.2.3")).toEqual({ address: "10.1.2.3", who: "10.1.2.3" });
  });

  it("is logged in full, and the client is identified by its IPv6 network", async () => {
    expect(await clientOf("2001:db8:1:2:3:4:5:6")).toEqual({
      address: "2001:db8:1:2:3:4:5:6",
      who: "2001:db8:1:2::/64",
    });
    expect(await clientOf("2001:db8::7")).toEqual({ address: "2001:db8::7", who: "2001:db8::/64" });
  });
});

/** Different headers of one client, and a header of another client. */
const clients: [string, (nth: number) => string, string][] = [
  ["changing ports", (nth) => `203.0.113.8:${50_000 + nth}`, "203.0.113.9:50000"],
  ["changing addresses of its IPv6 network", (nth) => `2001:db8:0:1:${nth}::${nth}`, "2001:db8:0:2::1"],
  [
    "changing IPv4-mapped forms",
    (nth) => (nth % 2 ? "::ffff:203.0.113.8" : "203.0.113.8"),
    "::ffff:203.0.113.9",
  ],
  ["changing text", (nth) => `made-up-${nth}`, "203.0.113.9"],
  ["changing claims before its address", (nth) => `198.51.100.${nth}, 203.0.113.8`, "198.51.100.1"],
];

describe("A client behind a trusted proxy whose header has", () => {
  let gateway: TestGateway;
  afterEach(() => gateway.close());

  it.each(clients)("%s is one client for the limit on invalid credentials", async (_, forwarded, other) => {
    gateway = await startGateway({ gateway: { ...apiKeys({ good: "sip:read" }), ...proxies } });
    const login = async (key: string, header: string) =>
      (await gateway.execute("{ __typename }", {}, { ...bearer(key), "x-forwarded-for": header })).status;
    for (let nth = 1; nth <= 30; nth++) expect(await login("made-up", forwarded(nth))).toBe(401);
    expect(await login("made-up", forwarded(31))).toBe(429);
    expect(await login("good", forwarded(32))).toBe(200);
    expect(await login("made-up", other)).toBe(401);
  });

  it.each(clients)("%s is one client for the rate limit", async (_, forwarded, other) => {
    gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: "5", ...proxies } });
    const execute = async (header: string) =>
      (await gateway.execute("{ __typename }", {}, { "x-forwarded-for": header })).status;
    for (let nth = 1; nth <= 5; nth++) expect(await execute(forwarded(nth))).toBe(200);
    expect(await execute(forwarded(6))).toBe(429);
    expect(await execute(other)).toBe(200);
  });
});

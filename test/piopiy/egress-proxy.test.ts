import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { bearer } from "../support/auth/api-keys.js";
import { makeKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { type EgressProxy, startEgressProxy, startTls } from "../support/http/egress-proxy.js";
import { cert } from "../support/http/test-authority.js";
import { killPrograms } from "../support/program.js";
import { until } from "../support/until.js";
import { type BrokenUpstream, startBrokenUpstream } from "../support/upstream/broken-upstream.js";
import * as untrusted from "./self-signed.js";

const WARN = 40;
/** A password with characters that are percent-encoded in a URL. */
const PASSWORD = "made-up@pass:word";
const credentials = `Basic ${Buffer.from(`proxy-user:${PASSWORD}`).toString("base64")}`;
const user = `proxy-user:${encodeURIComponent(PASSWORD)}`;
const read = (username: string) => `{ sipEndpoint(username: "${username}") { username } }`;
const write = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';

let folder: string;
let upstream: BrokenUpstream;
let upstreamTls: Awaited<ReturnType<typeof startTls>>;
let untrustedTls: Awaited<ReturnType<typeof startTls>>;
let proxy: EgressProxy;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "proxy-"));
  writeFileSync(join(folder, "cert.pem"), cert);
  upstream = await startBrokenUpstream();
  const port = Number(new URL(upstream.url).port);
  upstreamTls = await startTls(port);
  untrustedTls = await startTls(port, untrusted);
  proxy = await startEgressProxy(routes(port));
});
afterEach(async () => {
  await killPrograms();
  proxy.closeTunnels();
  proxy.respond();
});
afterAll(async () => {
  await proxy.close();
  upstreamTls.close();
  untrustedTls.close();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

function routes(port: number): Record<string, number> {
  return {
    "piopiy.test": upstreamTls.port,
    "other.test": upstreamTls.port,
    "untrusted.test": untrustedTls.port,
    "plain.test": port,
  };
}

/** Starts a gateway that uses the proxy for all addresses and trusts the test authority. */
function start(settings: Readonly<Record<string, string>> = {}): Promise<BuiltGateway> {
  upstream.respond({});
  const address = `http://${user}@127.0.0.1:${proxy.port}`;
  return startBuiltGateway({
    PORT: "0",
    AUTH: "none",
    PIOPIY_URL: "https://piopiy.test/v1/endpoint/",
    PIOPIY_APP_ID: "1",
    PIOPIY_SECRET: "hush",
    PIOPIY_DEADLINE_MS: "120000",
    PIOPIY_TIMEOUT_MS: "60000",
    CACHE_TTL_MS: "0",
    HTTPS_PROXY: address,
    HTTP_PROXY: address,
    NODE_EXTRA_CA_CERTS: join(folder, "cert.pem"),
    ...settings,
  });
}

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
}

async function execute(gateway: BuiltGateway, query: string, headers: object = {}): Promise<Body> {
  const response = await fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  return (await response.json()) as Body;
}

/** Returns the log entries about upstream requests, after it has checked that the output shows no credentials of the proxy. */
function upstreamLines({ output }: BuiltGateway): unknown[] {
  const text = output.stdout + output.stderr;
  for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), credentials.slice(6), "proxy-user"]) {
    expect(text).not.toContain(secret);
  }
  return output.stdout
    .split("\n")
    .filter((line) => line.includes("an upstream request failed"))
    .map((line) => JSON.parse(line));
}

const foundAlice = { data: { sipEndpoint: { username: "alice" } } };

describe("An upstream request to an https address", () => {
  it("uses a tunnel through HTTPS_PROXY, which stays open for later requests", async () => {
    const gateway = await start({ LOG_LEVEL: "trace" });
    for (let count = 0; count < 3; count++) {
      expect(await execute(gateway, read("alice"))).toMatchObject(foundAlice);
    }
    expect(proxy.requests).toEqual([{ target: "piopiy.test:443", authorization: credentials }]);
    expect(upstream.requests.map(({ operation }) => operation)).toEqual(["get_sip", "get_sip", "get_sip"]);
    expect(upstream.requests[0]?.headers).toMatchObject({ host: "piopiy.test" });
    expect(upstream.requests[0]?.headers).not.toHaveProperty("proxy-authorization");
    expect(upstreamLines(gateway)).toEqual([]);
  });

  it("uses at most PIOPIY_MAX_CONCURRENCY tunnels", async () => {
    const gateway = await start({ PIOPIY_MAX_CONCURRENCY: "2" });
    const names = Array.from({ length: 12 }, (_, number) => `user-${number}`);
    await Promise.all(names.map((name) => execute(gateway, read(name))));
    expect(upstream.requests).toHaveLength(12);
    expect([1, 2]).toContain(proxy.requests.length);
  });

  it("opens a new tunnel after the proxy has closed all", async () => {
    const gateway = await start();
    await execute(gateway, read("alice"));
    proxy.closeTunnels();
    await until(() => upstream.connections.open === 0);
    expect(await execute(gateway, read("alice"))).toMatchObject(foundAlice);
    expect(proxy.requests).toHaveLength(2);
  });

  it("works through a proxy with an https address, and with its variable in lower case", async () => {
    const port = Number(new URL(upstream.url).port);
    const secured = await startEgressProxy(routes(port), "https");
    const gateway = await start({ https_proxy: `https://${user}@localhost:${secured.port}/` });
    expect(await execute(gateway, read("alice"))).toMatchObject(foundAlice);
    expect(secured.requests).toEqual([{ target: "piopiy.test:443", authorization: credentials }]);
    expect(proxy.requests).toEqual([]);
    await killPrograms();
    await secured.close();
  });

  it.each([
    ["of an unknown authority", "untrusted.test", "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["of another host", "other.test", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ])("is not sent to a target that has a certificate %s", async (_, host, code) => {
    const gateway = await start({ PIOPIY_URL: `https://${host}/v1/endpoint/`, PIOPIY_DEADLINE_MS: "3000" });
    for (const query of [read("alice"), write]) {
      const { errors } = await execute(gateway, query);
      expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE" } }]);
      expect(errors?.[0]?.message).toContain(`(${code})`);
    }
    expect(proxy.requests[0]).toEqual({ target: `${host}:443`, authorization: credentials });
    expect(upstream.requests).toEqual([]);
    expect(upstreamLines(gateway)).toMatchObject([{ code }]);
  });

  it.each([
    ["NO_PROXY", { NO_PROXY: "example.com, .test" }],
    ["no_proxy", { no_proxy: "piopiy.test:443" }],
  ])("uses no proxy for a host in %s", async (_, settings) => {
    const gateway = await start({ ...settings, PIOPIY_DEADLINE_MS: "3000" });
    const { errors } = await execute(gateway, read("alice"));
    // The name exists for the proxy only.
    expect(errors?.[0]?.message).toMatch(/PIOPIY could not be reached for get_sip \((ENOTFOUND|EAI_AGAIN)\)/);
    expect(proxy.requests).toEqual([]);
  });
});

describe("An upstream request to an http address", () => {
  const plain = { PIOPIY_URL: "http://plain.test/v1/endpoint/", PIOPIY_ALLOW_HTTP: "true" };

  it("is forwarded by HTTP_PROXY, over a connection that stays open", async () => {
    const gateway = await start({ ...plain, LOG_LEVEL: "trace" });
    for (let count = 0; count < 2; count++) {
      expect(await execute(gateway, read("alice"))).toMatchObject(foundAlice);
    }
    const target = "http://plain.test/v1/endpoint/get_sip";
    const sent = { target, authorization: credentials };
    expect(proxy.requests).toEqual([sent, sent]);
    expect(upstream.requests.map(({ headers }) => headers.host)).toEqual(["plain.test", "plain.test"]);
    expect(upstreamLines(gateway)).toEqual([]);
  });

  it("uses no proxy for a loopback address", async () => {
    const gateway = await start({ PIOPIY_URL: upstream.url });
    expect(await execute(gateway, read("alice"))).toMatchObject(foundAlice);
    expect(proxy.requests).toEqual([]);
  });

  it.each([403, 407])("fails with the cause when the proxy responds with %i", async (status) => {
    const gateway = await start({ ...plain, PIOPIY_DEADLINE_MS: "3000" });
    proxy.respond(status);
    await expectProxyFailure(gateway, `HTTP ${status}`, `PROXY_${status}`);
  });

  it("fails with the cause when the proxy is unreachable", async () => {
    const HTTP_PROXY = `http://${user}@127.0.0.1:${await closedPort()}`;
    const gateway = await start({ ...plain, HTTP_PROXY, PIOPIY_DEADLINE_MS: "3000" });
    await expectProxyFailure(gateway, "ECONNREFUSED", "PROXY_ECONNREFUSED");
  });
});

describe("When the proxy opens no tunnel, a read and a write fail with the cause", () => {
  it.each([403, 407, 502])("because the proxy responds with %i", async (status) => {
    const gateway = await start({ PIOPIY_DEADLINE_MS: "3000" });
    proxy.respond(status);
    await expectProxyFailure(gateway, `HTTP ${status}`, `PROXY_${status}`);
  });

  it("because the proxy is unreachable", async () => {
    const HTTPS_PROXY = `http://${user}@127.0.0.1:${await closedPort()}`;
    const gateway = await start({ HTTPS_PROXY, PIOPIY_DEADLINE_MS: "3000" });
    await expectProxyFailure(gateway, "ECONNREFUSED", "PROXY_ECONNREFUSED");
  });

  it("because the proxy does not respond, and the gateway can still exit", async () => {
    const gateway = await start({ PIOPIY_DEADLINE_MS: "1000" });
    proxy.hang();
    const { errors } = await execute(gateway, read("alice"));
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_TIMEOUT" } }]);
    gateway.child.kill("SIGTERM");
    expect(await gateway.end).toBe(0);
  });
});

describe("The keys of the issuer", () => {
  it("are fetched through HTTPS_PROXY", async () => {
    const issuer = await startIssuer();
    const key = await makeKey("key-1");
    await issuer.publish(key);
    const issuerTls = await startTls(Number(new URL(String(issuer.settings.JWT_JWKS_URL)).port));
    const issuerProxy = await startEgressProxy({ "issuer.test": issuerTls.port });
    const gateway = await start({
      ...issuer.settings,
      JWT_JWKS_URL: "https://issuer.test:8443/keys",
      HTTPS_PROXY: `http://${user}@127.0.0.1:${issuerProxy.port}`,
      PIOPIY_URL: upstream.url,
    });
    const token = bearer(await sign(key));
    issuerProxy.respond(407);
    const { errors } = await execute(gateway, read("alice"), token);
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE" } }]);
    await until(() => gateway.output.stdout.includes('"code":"PROXY_407"'));
    issuerProxy.respond();
    expect(await execute(gateway, read("alice"), token)).toMatchObject(foundAlice);
    expect(issuerProxy.requests).toEqual([{ target: "issuer.test:8443", authorization: credentials }]);
    expect(issuer.fetches()).toBe(1);
    upstreamLines(gateway);
    await killPrograms();
    await issuerProxy.close();
    issuerTls.close();
    await issuer.close();
  });
});

/** Sends a read and a write, and compares their errors and the log with the cause. */
async function expectProxyFailure(gateway: BuiltGateway, cause: string, code: string): Promise<void> {
  for (const [operation, query] of [
    ["get_sip", read("alice")],
    ["remove_sip", write],
  ] as const) {
    const { errors } = await execute(gateway, query);
    expect(errors).toMatchObject([
      {
        message: `PIOPIY could not be reached for ${operation} (the gateway's egress proxy failed: ${cause}). Try again later.`,
        extensions: { code: "UPSTREAM_UNAVAILABLE" },
      },
    ]);
  }
  expect(upstream.requests).toEqual([]);
  expect(upstreamLines(gateway)).toMatchObject([
    {
      level: WARN,
      code,
      msg: `an upstream request failed: ${code}. The egress proxy failed: check HTTPS_PROXY, HTTP_PROXY and NO_PROXY`,
    },
  ]);
}

/** Returns a port on which nothing listens. */
async function closedPort(): Promise<number> {
  const closed = await startEgressProxy({});
  await closed.close();
  return closed.port;
}

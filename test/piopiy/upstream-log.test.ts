import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { UpstreamLog } from "../../src/piopiy/upstream-log.js";
import { Secret } from "../../src/secret.js";
import { abandon } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, operations, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { cut, found, mutations, write } from "../support/gateway/lost-writes.js";
import { reads } from "../support/gateway/reads.js";
import { startGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { type Responder } from "../support/upstream/broken-upstream.js";
import { canaries, echoes, holdsCanary } from "../support/upstream/canaries.js";
import { cert, key } from "./self-signed.js";

const WARN = 40;
const ERROR = 50;
const html = "<h1>Something is wrong</h1>";

let broken: BrokenGateway;
let isOpen = false;
afterEach(close);

async function start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
  broken = await startBrokenGateway(settings);
  isOpen = true;
}

async function close(): Promise<void> {
  if (isOpen) await broken.close();
  isOpen = false;
}

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly operation: string;
  readonly durationMs: number;
  readonly [field: string]: unknown;
}

/** Returns the entries of level `warn` and above, and all others about upstream requests. Entries of operations are left out. */
function linesOf(log: readonly string[]): Line[] {
  return log
    .map((line) => JSON.parse(line))
    .filter(({ level, msg }) => level >= WARN || msg.startsWith("an upstream request"))
    .filter(({ msg }) => msg !== "request completed");
}
const lines = () => linesOf(broken.gateway.log);

const redirect = (location: string): Responder => ({ status: 301, headers: { location }, body: "" });

describe("The cause of a failed upstream request", () => {
  it.each<[string, Responder, object]>([
    ["ECONNRESET", (response) => response.socket?.resetAndDestroy(), { code: "ECONNRESET" }],
    ["timeout", () => {}, { code: "timeout" }],
    ["HTTP 503 with no code", { status: 503, body: html }, { status: 503 }],
    ["HTTP 500 with code 500", { status: 500, body: { code: "cmi-500" } }, { status: 500, code: "500" }],
    ["HTTP 200 with code 404", { body: { code: "cmi-404" } }, { status: 200, code: "404" }],
    ["HTTP 200 with no code", { body: html }, { status: 200 }],
    ["HTTP 200 with code 200", { body: { code: 200 } }, { status: 200, code: "200" }],
    ["HTTP 200 with more than 1000000 bytes", { body: " ".repeat(1_000_001) }, { status: 200 }],
    ["HTTP 404 with no code", { status: 404, body: html }, { status: 404 }],
    ["HTTP 407 with no code", { status: 407, body: html }, { status: 407 }],
  ])("is logged: %s", async (cause, responder, fields) => {
    await start(cause === "timeout" ? { PIOPIY_TIMEOUT_MS: "1000" } : {});
    broken.upstream.respond(responder, {});
    await broken.gateway.execute(operations.get_sip);
    expect(lines()).toEqual([
      expect.objectContaining({
        level: WARN,
        msg: `an upstream request failed: ${cause}`,
        operation: "get_sip",
        durationMs: expect.any(Number),
        requestId: expect.any(String),
        ...fields,
      }),
    ]);
  });

  it("is logged for a refused connection", async () => {
    const { gateway, upstream } = await startBrokenGateway();
    await upstream.close();
    await gateway.execute(operations.remove_sip);
    await gateway.close();
    expect(linesOf(gateway.log)).toMatchObject([
      { level: WARN, operation: "remove_sip", msg: "an upstream request failed: ECONNREFUSED" },
    ]);
  });

  it("is logged for an invalid certificate, and no request is sent", async () => {
    let sent = 0;
    const server = createServer({ key, cert }, (_, response) => {
      sent++;
      response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/endpoint/`;
    const gateway = await startGateway({ gateway: { PIOPIY_URL: url } });
    const { errors } = await gateway.execute(operations.remove_sip);
    await gateway.close();
    server.close();
    expect(errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE" } }]);
    expect(linesOf(gateway.log)).toMatchObject([
      {
        level: WARN,
        operation: "remove_sip",
        msg: "an upstream request failed: DEPTH_ZERO_SELF_SIGNED_CERT",
      },
    ]);
    expect(sent).toBe(0);
  });

  it("is logged for a deadline, and not for a client that has disconnected", async () => {
    await start();
    broken.upstream.respond(() => {});
    await abandon(broken.gateway, operations.get_sip, () => broken.upstream.requests.length === 1);
    await until(() => broken.upstream.connections.open === 0);
    expect(lines()).toEqual([]);
    await close();
    await start({ PIOPIY_DEADLINE_MS: "1000" });
    broken.upstream.respond(() => {});
    await broken.gateway.execute(operations.get_sip);
    expect(lines()).toMatchObject([{ level: WARN, operation: "get_sip", code: "timeout" }]);
  });

  it("is logged for a reconciled write", async () => {
    await start();
    expect((await write(broken, "add_sip", cut, found)).outcome).toBe("done");
    expect(lines()).toMatchObject([{ level: WARN, operation: "add_sip", code: "ECONNRESET" }]);
  });

  it("is logged for a stale response", async () => {
    await start({ CACHE_TTL_MS: "1" });
    broken.upstream.respond({}, { status: 503, body: html });
    await broken.gateway.execute(operations.get_sip);
    const { extensions } = await broken.gateway.execute(operations.get_sip);
    expect(extensions?.stale?.ageMs).toBeGreaterThan(0);
    expect(lines()).toMatchObject([{ operation: "get_sip", status: 503 }]);
  });

  it("is logged before the opening of the circuit breaker", async () => {
    await start({ PIOPIY_MAX_CONCURRENCY: "1" });
    broken.upstream.respond({ status: 500, body: html }, ...Array(8).fill(cut), { status: 504, body: html });
    await broken.gateway.execute(reads("u", 10));
    expect(lines()).toMatchObject([
      { level: WARN, status: 500 },
      { level: WARN, code: "ECONNRESET" },
      { level: WARN, status: 504 },
      { level: ERROR, msg: expect.stringContaining("PIOPIY is unavailable"), cause: "HTTP 504 with no code" },
    ]);
  });

  it("is not logged for a username that is taken or unknown", async () => {
    await start();
    broken.upstream.respond({ body: { code: "cmi-400" } });
    for (const operation of ["get_sip", "add_sip", "update_sip", "remove_sip"] as const) {
      await broken.gateway.execute(operations[operation]);
    }
    expect(broken.upstream.requests).toHaveLength(4);
    expect(lines()).toEqual([]);
  });

  it("is logged once, with level error, when PIOPIY rejects the account", async () => {
    await start();
    broken.upstream.respond({ body: { code: "cmi-420" } });
    for (const query of Object.values(operations)) await broken.gateway.execute(query);
    expect(lines()).toMatchObject([
      {
        level: ERROR,
        status: 200,
        code: "420",
        msg: expect.stringContaining("PIOPIY_APP_ID and PIOPIY_SECRET"),
      },
    ]);
  });
});

describe("Many failures", () => {
  it("are one log entry for each cause", async () => {
    await start();
    broken.upstream.respond((response, { body }) => {
      const isOdd = /[13579]"/.test(body);
      response.writeHead(isOdd ? 404 : 429).end(html);
    });
    for (let round = 0; round < 4; round++) await broken.gateway.execute(reads("u", 50));
    expect(broken.upstream.requests.length).toBeGreaterThanOrEqual(200);
    expect(
      lines()
        .map(({ status }) => status)
        .sort(),
    ).toEqual([404, 429]);
  });

  it("are at most 51 entries when each failure has another cause", async () => {
    await start();
    let code = 1000;
    broken.upstream.respond((response) => response.end(JSON.stringify({ code: code++ })));
    for (let round = 0; round < 4; round++) await broken.gateway.execute(reads("u", 50));
    expect(code).toBe(1200);
    expect(lines()).toHaveLength(51);
  });

  it("are one further entry with the number of repeats after the interval", async () => {
    const log: string[] = [];
    const logger = pino({}, { write: (line: string) => log.push(line) });
    const upstreamLog = new UpstreamLog(logger, "https://piopiy.example.com/", new Secret("s"), 50);
    const begun = performance.now();
    for (let count = 0; count < 5; count++) upstreamLog.noResponse("get_sip", "ENOTFOUND", 7, "first");
    const { length } = log;
    await until(() => performance.now() - begun > 50);
    upstreamLog.noResponse("list_sip", "ENOTFOUND", 8, "last");
    // A slow machine may need more than the interval for the five.
    expect(length).toBeLessThanOrEqual(5);
    const repeats = log.map((line) => JSON.parse(line).repeats ?? 0);
    expect(repeats.reduce((sum, count) => sum + count, log.length)).toBe(6);
    expect(log.length).toBeLessThanOrEqual(6);
    expect(JSON.parse(log.at(-1) ?? "")).toMatchObject({
      operation: "list_sip",
      durationMs: 8,
      requestId: "last",
    });
  });
});

describe("A redirect is logged", () => {
  const named = (address: string) =>
    `PIOPIY_URL redirects to ${address}: set PIOPIY_URL to that address if it belongs to PIOPIY`;

  it.each([
    ["https://piopiy.example.com/v1/endpoint/get_sip", "https://piopiy.example.com/v1/endpoint/"],
    ["https://piopiy.example.com/v1/endpoint/get_sip/", "https://piopiy.example.com/v1/endpoint/"],
    ["https://piopiy.example.com:8443/get_sip?token=made-up#made-up", "https://piopiy.example.com:8443/"],
    ["https://made:up@piopiy.example.com/v2/get_sip", "https://piopiy.example.com/v2/"],
    ["https://login.example.com/start.html?back=made-up", "https://login.example.com/start.html"],
    ["https://login.example.com/users/alice/", "https://login.example.com/"],
    ["https://login.example.com/made%20up/%0d%0a%1b[31m", "https://login.example.com/"],
    [`https://piopiy.example.com/${"x".repeat(300)}`, `https://piopiy.example.com/${"x".repeat(173)}`],
  ])("with the address to configure: %s", async (location, address) => {
    await start();
    broken.upstream.respond(redirect(location));
    for (let count = 0; count < 3; count++) await broken.gateway.execute(operations.get_sip);
    expect(lines()).toMatchObject([
      {
        level: WARN,
        status: 301,
        msg: `an upstream request failed: HTTP 301 with no code. ${named(address)}`,
      },
    ]);
    expect(JSON.stringify(lines())).not.toMatch(/made|token/);
  });

  it.each([
    ["get_sip", "PIOPIY_URL redirects to itself"],
    ["get_sip/", "PIOPIY_URL redirects to itself"],
    ["?again", "PIOPIY_URL redirects to itself"],
    ["data:text/html,hello", "the target address cannot be shown"],
    ["javascript:alert(1)", "the target address cannot be shown"],
    ["https://", "the target address cannot be shown"],
    ["http://[::1", "the target address cannot be shown"],
  ])("with the problem of its location: %s", async (location, message) => {
    await start();
    broken.upstream.respond(redirect(location));
    await broken.gateway.execute(operations.get_sip);
    expect(lines()).toMatchObject([{ level: WARN, msg: expect.stringContaining(message) }]);
  });

  it("also without a location", async () => {
    await start();
    broken.upstream.respond({ status: 302, body: "" });
    await broken.gateway.execute(operations.remove_sip);
    expect(lines()).toMatchObject([{ msg: expect.stringContaining("the target address cannot be shown") }]);
  });
});

describe("A PIOPIY_URL without the path of the API", () => {
  it.each<[number, string]>([
    [404, html],
    [405, ""],
    [200, html],
  ])("is logged with the complete address: HTTP %i", async (status, body) => {
    await start();
    const { origin } = new URL(broken.upstream.url);
    const gateway = await startGateway({ gateway: { PIOPIY_URL: origin } });
    broken.upstream.respond({ status, body });
    await gateway.execute(operations.get_sip);
    await gateway.close();
    expect(linesOf(gateway.log)).toMatchObject([
      {
        level: WARN,
        msg: expect.stringContaining(`PIOPIY_URL may lack the path of the API, as in ${origin}/v1/endpoint/`),
      },
    ]);
  });
});

describe("The log contains no secret, no password and no username", () => {
  it.each([
    ...echoes,
    [
      "a host",
      (response, { body }) => {
        const { secret, password = secret } = JSON.parse(body);
        const name = encodeURI(password).replaceAll(/[^\w-]/g, "");
        response.writeHead(302, { location: `https://${name}.example.com/${name}` }).end();
      },
    ],
  ] as [string, Responder][])("when the upstream repeats the request as %s", async (_, responder) => {
    const account = { PIOPIY_SECRET: "canary-secret-1", PIOPIY_TIMEOUT_MS: "300", PIOPIY_DEADLINE_MS: "600" };
    await start(account);
    broken.upstream.respond(responder);
    const query = mutations.add_sip
      .replaceAll("alice", "canary-key-name")
      .replace("made-up-1", "canary-password-1");
    await broken.gateway.execute(query);
    await broken.gateway.execute(operations.get_sip.replace("alice", "canary-key-name"));
    expect(lines().length).toBeGreaterThan(0);
    const shown = JSON.stringify(lines());
    const kinds = Object.keys(canaries) as (keyof typeof canaries)[];
    expect(kinds.filter((kind) => holdsCanary(shown, kind))).toEqual([]);
  });
});

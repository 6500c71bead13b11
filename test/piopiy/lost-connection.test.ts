import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, fail, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { found, write } from "../support/gateway/lost-writes.js";
import { alice, type Responder } from "../support/upstream/broken-upstream.js";

const json = JSON.stringify(alice);
const tenMegabytes = { "content-length": 10_000_000 };

/** Ways to lose a response. */
const losses: [string, Responder][] = [
  ["a close before the response", (response) => response.socket?.end()],
  ["a reset before the response", (response) => response.socket?.resetAndDestroy()],
  ["a close within the headers", (response) => response.socket?.end("HTTP/1.1 200 OK\r\ncontent-type: appl")],
  [
    "a close within the body",
    (response) => response.writeHead(200, tenMegabytes).write(json, () => response.destroy()),
  ],
  [
    "a reset within the body",
    (response) => response.writeHead(200, tenMegabytes).write(json, () => response.socket?.resetAndDestroy()),
  ],
  [
    "a close between two chunks",
    (response) => response.writeHead(200).write(json, () => response.socket?.end()),
  ],
  [
    "a close within gzip data",
    (response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.write(gzipSync(json).subarray(0, 40), () => response.socket?.end());
    },
  ],
];

/** Responses that are not valid HTTP. */
const notHttp: [string, string][] = [
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["headers without an end", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}`],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"],
  ["an invalid chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
];

const reconciled = { outcome: "done", requests: ["add_sip", "get_sip"] };

describe("A connection that is lost", () => {
  let broken: BrokenGateway;
  beforeEach(async () => {
    broken = await startBrokenGateway();
  });
  afterEach(() => broken.close());

  it.each(
    losses,
  )("returns UPSTREAM_UNAVAILABLE for a read after three attempts: %s", async (_, responder) => {
    broken.upstream.respond(responder);
    expect(await fail(broken, "get_sip")).toEqual({
      code: "UPSTREAM_UNAVAILABLE",
      retryable: true,
      attempts: 3,
    });
  });

  it.each(losses)("leads to the reconciliation of a write: %s", async (_, responder) => {
    expect(await write(broken, "add_sip", responder, found)).toEqual(reconciled);
  });

  it.each(notHttp)("returns UPSTREAM_INVALID_RESPONSE after invalid HTTP: %s", async (_, text) => {
    broken.upstream.respond((response) => response.socket?.end(text));
    expect(await fail(broken, "get_sip")).toEqual({
      code: "UPSTREAM_INVALID_RESPONSE",
      retryable: true,
      attempts: 3,
    });
    const responder: Responder = (response) => response.socket?.end(text);
    expect(await write(broken, "add_sip", responder, found)).toEqual(reconciled);
  });

  it("is replaced by a new one when the upstream has closed it between two reads", async () => {
    broken.upstream.respond({ headers: { connection: "close" } });
    for (const _ of [1, 2, 3]) {
      expect(await broken.gateway.execute('{ sipEndpoint(username: "alice") { type } }')).toMatchObject({
        data: { sipEndpoint: { type: "SIP" } },
      });
    }
    expect(broken.upstream.connections.made).toBe(3);
  });
});

describe("A connection that is refused", () => {
  it.each([
    "get_sip",
    "add_sip",
    "update_sip",
    "remove_sip",
  ] as const)("returns UPSTREAM_UNAVAILABLE for %s, since nothing was sent", async (operation) => {
    const { upstream, gateway } = await startBrokenGateway();
    await upstream.close();
    try {
      const failure = await fail({ upstream, gateway }, operation);
      expect(failure).toEqual({ code: "UPSTREAM_UNAVAILABLE", retryable: true, attempts: 0 });
    } finally {
      await gateway.close();
    }
  });
});

import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, fail, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { found, write } from "../support/gateway/lost-writes.js";
import { alice, type Behaviour } from "../support/upstream/broken-upstream.js";

const json = JSON.stringify(alice);
const tenMegabytes = { "content-length": 10_000_000 };

/** Ways to lose an answer on its way. */
const losses: [string, Behaviour][] = [
  ["an orderly end before the answer", (response) => response.socket?.end()],
  ["a reset before the answer", (response) => response.socket?.resetAndDestroy()],
  [
    "a cut in the middle of the head",
    (response) => response.socket?.end("HTTP/1.1 200 OK\r\ncontent-type: appl"),
  ],
  [
    "a cut in the middle of the body",
    (response) => response.writeHead(200, tenMegabytes).write(json, () => response.destroy()),
  ],
  [
    "a reset in the middle of the body",
    (response) => response.writeHead(200, tenMegabytes).write(json, () => response.socket?.resetAndDestroy()),
  ],
  [
    "a cut between two chunks",
    (response) => response.writeHead(200).write(json, () => response.socket?.end()),
  ],
  [
    "a cut in the middle of gzip",
    (response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.write(gzipSync(json).subarray(0, 40), () => response.socket?.end());
    },
  ],
];

/** Answers that no HTTP client can read. */
const notHttp: [string, string][] = [
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["a head without end", `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}`],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}"],
  ["a chunk of no size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
];

const settled = { outcome: "done", calls: ["add_sip", "get_sip"] };

describe("A connection that is lost", () => {
  let broken: BrokenGateway;
  beforeEach(async () => {
    broken = await startBrokenGateway();
  });
  afterEach(() => broken.close());

  it.each(losses)("is UPSTREAM_UNAVAILABLE to a read after three attempts: %s", async (_, behaviour) => {
    broken.upstream.answer(behaviour);
    expect(await fail(broken, "get_sip")).toEqual({
      code: "UPSTREAM_UNAVAILABLE",
      retryable: true,
      attempts: 3,
    });
  });

  it.each(losses)("leaves a write to be settled: %s", async (_, behaviour) => {
    expect(await write(broken, "add_sip", behaviour, found)).toEqual(settled);
  });

  it.each(notHttp)("is UPSTREAM_INVALID_RESPONSE when it speaks no HTTP: %s", async (_, text) => {
    broken.upstream.answer((response) => response.socket?.end(text));
    expect(await fail(broken, "get_sip")).toEqual({
      code: "UPSTREAM_INVALID_RESPONSE",
      retryable: true,
      attempts: 3,
    });
    const behaviour: Behaviour = (response) => response.socket?.end(text);
    expect(await write(broken, "add_sip", behaviour, found)).toEqual(settled);
  });

  it("was kept and is closed by the upstream in between: the next read opens another", async () => {
    broken.upstream.answer({ headers: { connection: "close" } });
    for (const _ of [1, 2, 3]) {
      expect(await broken.gateway.ask('{ sipEndpoint(username: "alice") { type } }')).toMatchObject({
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
  ] as const)("is UPSTREAM_UNAVAILABLE to %s, since nothing was sent", async (operation) => {
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

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { abandon, held, untilTimedOut } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, operations, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { startGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

let broken: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1" });
});
afterAll(() => broken.close());

const requests = () => broken.upstream.requests.map(({ operation }) => operation);

describe("A connection to the upstream", () => {
  it("is reused by later requests, whatever the responses are", async () => {
    const html = "<h1>Something is wrong</h1>";
    broken.upstream.respond({}, { status: 503, body: html }, { body: html }, { status: 404, body: html }, {});
    for (const query of Object.values(operations)) await broken.gateway.execute(query);
    expect(broken.upstream.requests.length).toBeGreaterThan(6);
    expect(broken.upstream.connections.made).toBeLessThanOrEqual(1);
  });

  it("sends a user agent, and accepts only JSON", async () => {
    broken.upstream.respond({});
    await broken.gateway.execute(operations.get_sip);
    expect(broken.upstream.requests[0]?.headers).toMatchObject({
      "content-type": "application/json",
      accept: "application/json",
      "user-agent": "piopiy-graphql-gateway",
    });
  });
});

describe("An upstream with an https address", () => {
  it("receives a TLS handshake first, and no data before its certificate is validated", async () => {
    const received: Buffer[] = [];
    const server = createServer((socket) => {
      socket.once("data", (first) => {
        received.push(first);
        socket.destroy();
      });
      socket.on("error", () => {});
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const gateway = await startGateway({ gateway: { PIOPIY_URL: `https://127.0.0.1:${port}/v1/endpoint/` } });
    const { errors } = await gateway.execute(operations.get_sip);
    await gateway.close();
    server.close();
    expect(errors?.[0]?.extensions.code).toBe("UPSTREAM_UNAVAILABLE");
    const HANDSHAKE = 0x16;
    expect(new Set(received.map((bytes) => bytes[0]))).toEqual(new Set([HANDSHAKE]));
  });
});

describe("A client that disconnects", () => {
  it("aborts the read in flight and its retries", async () => {
    broken.upstream.respond(() => {});
    await untilTimedOut(broken.gateway, () =>
      abandon(broken.gateway, operations.get_sip, () => requests().length === 1),
    );
    await until(() => broken.upstream.connections.open === 0);
    expect(requests()).toEqual(["get_sip"]);
  });

  it("ends the pause before a retry", async () => {
    broken.upstream.respond({ status: 503, headers: { "retry-after": "5" } });
    const before = broken.gateway.log.length;
    await abandon(broken.gateway, operations.get_sip, () => requests().length === 1);
    await until(() => broken.gateway.log.slice(before).some((line) => line.includes("UPSTREAM_UNAVAILABLE")));
    expect(requests()).toEqual(["get_sip"]);
  });

  it("does not abort a write in flight, which keeps its slot until it ends", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    await abandon(broken.gateway, operations.add_sip, () => requests().length === 1);
    const { made } = broken.upstream.connections;
    const next = broken.gateway.execute(operations.get_sip);
    await broken.gateway.execute("{ __typename }");
    expect(requests()).toEqual(["add_sip"]);
    hold.release();
    expect(await next).toMatchObject({ data: { sipEndpoint: { username: "alice" } } });
    expect(requests()).toEqual(["add_sip", "get_sip"]);
    expect(broken.upstream.connections).toEqual({ made, open: 1 });
  });

  it.each(["get_sip", "add_sip"] as const)("removes a queued %s, which is not sent", async (waiting) => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const first = broken.gateway.execute(operations.update_sip);
    await until(() => requests().length === 1);
    await untilTimedOut(broken.gateway, () => abandon(broken.gateway, operations[waiting], () => true));
    hold.release();
    await first;
    await broken.gateway.execute(operations.remove_sip);
    expect(requests()).not.toContain(waiting);
  });

  it("prevents the second of two writes from being sent", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const remove = 'removeSipEndpoint(input: { username: "a" }) { username }';
    const update = 'updateSipEndpoint(input: { username: "b", password: "made-up-9" }) { password }';
    await untilTimedOut(broken.gateway, async () => {
      await abandon(broken.gateway, `mutation { ${remove} ${update} }`, () => requests().length === 1);
      hold.release();
    });
    expect(requests()).toEqual(["remove_sip"]);
  });
});

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { givenUp, hangUp, held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, operations, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { startGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

let broken: BrokenGateway;
beforeAll(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1" });
});
afterAll(() => broken.close());

const calls = () => broken.upstream.calls.map(({ operation }) => operation);

describe("A connection upstream", () => {
  it("is kept: calls one after another share it, whatever they bring", async () => {
    const html = "<h1>Something is wrong</h1>";
    broken.upstream.answer({}, { status: 503, body: html }, { body: html }, { status: 404, body: html }, {});
    for (const query of Object.values(operations)) await broken.gateway.ask(query);
    expect(broken.upstream.calls.length).toBeGreaterThan(6);
    expect(broken.upstream.connections.made).toBeLessThanOrEqual(1);
  });

  it("tells who calls, and asks for nothing but JSON", async () => {
    broken.upstream.answer({});
    await broken.gateway.ask(operations.get_sip);
    expect(broken.upstream.calls[0]?.headers).toMatchObject({
      "content-type": "application/json",
      accept: "application/json",
      "user-agent": "piopiy-graphql-gateway",
    });
  });
});

describe("An upstream with an https address", () => {
  it("is spoken to by TLS, and told nothing before it has shown who it is", async () => {
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
    const { errors } = await gateway.ask(operations.get_sip);
    await gateway.close();
    server.close();
    expect(errors?.[0]?.extensions.code).toBe("UPSTREAM_UNAVAILABLE");
    const HANDSHAKE = 0x16;
    expect(new Set(received.map((bytes) => bytes[0]))).toEqual(new Set([HANDSHAKE]));
  });
});

describe("A caller who hangs up", () => {
  it("ends the read under way and the attempts after it", async () => {
    broken.upstream.answer(() => {});
    await givenUp(broken.gateway, () =>
      hangUp(broken.gateway, operations.get_sip, () => calls().length === 1),
    );
    await until(() => broken.upstream.connections.open === 0);
    expect(calls()).toEqual(["get_sip"]);
  });

  it("ends the pause before another attempt", async () => {
    broken.upstream.answer({ status: 503, headers: { "retry-after": "5" } });
    const begun = performance.now();
    const before = broken.gateway.log.length;
    await hangUp(broken.gateway, operations.get_sip, () => calls().length === 1);
    await until(() => broken.gateway.log.slice(before).some((line) => line.includes("UPSTREAM_UNAVAILABLE")));
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(calls()).toEqual(["get_sip"]);
  });

  it("leaves a write under way to its end, and its place taken until then", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    await hangUp(broken.gateway, operations.add_sip, () => calls().length === 1);
    const { made } = broken.upstream.connections;
    const next = broken.gateway.ask(operations.get_sip);
    await broken.gateway.ask("{ __typename }");
    expect(calls()).toEqual(["add_sip"]);
    hold.release();
    expect(await next).toMatchObject({ data: { sipEndpoint: { username: "alice" } } });
    expect(calls()).toEqual(["add_sip", "get_sip"]);
    expect(broken.upstream.connections).toEqual({ made, open: 1 });
  });

  it.each(["get_sip", "add_sip"] as const)("takes a waiting %s away: it is never sent", async (waiting) => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const first = broken.gateway.ask(operations.update_sip);
    await until(() => calls().length === 1);
    await givenUp(broken.gateway, () => hangUp(broken.gateway, operations[waiting], () => true));
    hold.release();
    await first;
    await broken.gateway.ask(operations.remove_sip);
    expect(calls()).not.toContain(waiting);
  });

  it("keeps the second of two writes from being sent", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const remove = 'removeSipEndpoint(input: { username: "a" }) { username }';
    const update = 'updateSipEndpoint(input: { username: "b" }) { password }';
    await givenUp(broken.gateway, async () => {
      await hangUp(broken.gateway, `mutation { ${remove} ${update} }`, () => calls().length === 1);
      hold.release();
    });
    expect(calls()).toEqual(["remove_sip"]);
  });
});

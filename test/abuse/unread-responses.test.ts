import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { held } from "../support/gateway/abandoned-operations.js";
import { startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { get, openSockets, post, residentMegabytes, unreadSockets } from "./unread-sockets.js";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

let built: BuiltGateway;
let gateway: TestGateway;
beforeAll(async () => {
  const settings = {
    GRAPHIQL: "true",
    INTROSPECTION: "true",
    MAX_COST: "1000000",
    RATE_LIMIT_PER_MINUTE: "0",
  };
  gateway = await startGateway({ gateway: settings });
  const env = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator", LOG_LEVEL: "warn" };
  built = await startBuiltGateway({ ...env, ...settings });
});
afterAll(async () => {
  built?.child.kill("SIGKILL");
  await built?.end;
  await gateway?.close();
});

const health = async (origin: string) => (await fetch(`${origin}/health/live`)).status;
const many = (field: string) => Array.from({ length: 40 }, (_, n) => `f${n}: ${field}`).join(" ");
const introspection = { query: `{ ${many("__schema { types { name description } }")} }` };
/** A query with a response of almost 2 MiB. */
const large = {
  query: `query ($pcmo: PCMO!) { validatePcmo(pcmo: $pcmo) { ${many("normalized")} } }`,
  variables: { pcmo: [{ action: "speak", text: "x".repeat(50_000) }] },
};

describe("Clients that do not read their responses", () => {
  it.each([
    ["GraphiQL's page, pipelined", 40, get("/graphiql").repeat(40)],
    ["pipelined queries", 20, post(introspection).repeat(20)],
    ["large responses on persistent connections", 20, post(large).repeat(4)],
  ])("use little memory of the gateway, and are disconnected after 20 seconds: %s", async (_, count, bytes) => {
    const { origin, child } = built;
    const pid = Number(child.pid);
    for (let round = 0; round < 3; round++) await fetch(`${origin}/graphiql`).then((page) => page.text());
    const quiet = { sockets: openSockets(pid), memory: residentMegabytes(pid) };
    const sockets = unreadSockets(origin, count, bytes);
    closing.push(() => {
      for (const socket of sockets) socket.destroy();
    });
    await until(() => openSockets(pid) >= quiet.sockets + count - 1);
    let most = 0;
    await until(async () => {
      expect(await health(origin)).toBe(200);
      most = Math.max(most, residentMegabytes(pid));
      return openSockets(pid) <= quiet.sockets + 1;
    });
    expect(most - quiet.memory).toBeLessThan(400);
  });

  async function startHeld() {
    const broken = await startBrokenGateway();
    closing.push(broken.close);
    const hold = held();
    broken.upstream.respond(hold.responder);
    const socket = connect(Number(new URL(broken.gateway.origin).port), "127.0.0.1");
    socket.on("error", () => {});
    return { ...broken, socket };
  }
  const read = (n: number) => post({ query: `{ sipEndpoint(username: "u${n}") { type } }` });

  it("have their pipelined requests dropped when the connection ends", async () => {
    const { upstream, socket, gateway } = await startHeld();
    socket.write(Array.from({ length: 30 }, (_, n) => read(n)).join(""));
    await until(() => upstream.requests.length > 0);
    await gateway.execute("{ __typename }");
    socket.destroy();
    await until(() => upstream.connections.open === 0);
    await gateway.execute("{ __typename }");
    expect(upstream.requests).toHaveLength(1);
  });

  it("are disconnected when they pipeline more than 100 requests", async () => {
    const { upstream, socket, gateway } = await startHeld();
    socket.resume().write(read(1) + get("/health/live").repeat(2000));
    await until(() => socket.destroyed);
    await until(() => upstream.connections.open === 0);
    expect(await health(gateway.origin)).toBe(200);
  });
});

describe("Slow clients", () => {
  it("receive the whole response when they read with small pauses", async () => {
    const socket = connect(Number(new URL(gateway.origin).port), "127.0.0.1");
    socket.write(post(large).replace("content-type", "connection: close\r\ncontent-type"));
    let received = "";
    for await (const chunk of socket) {
      received += chunk;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    const { data } = JSON.parse(received.slice(received.indexOf("\r\n\r\n")));
    expect(Object.values(data.validatePcmo)).toHaveLength(40);
    expect(received.length).toBeGreaterThan(40 * 50_000);
  });

  it("receive the responses to pipelined requests in their order", async () => {
    const socket = connect(Number(new URL(gateway.origin).port), "127.0.0.1");
    const queries = Array.from({ length: 50 }, (_, n) => post({ query: `{ n${n}: __typename }` }));
    socket.write(queries.join("") + get("/health/live"));
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk;
    });
    await until(() => received.includes('"live"'));
    socket.destroy();
    expect([...received.matchAll(/"n(\d+)":/g)].map(([, n]) => Number(n))).toEqual([...Array(50).keys()]);
  });

  it("do not delay others when 200 of them send half a request", async () => {
    const halves = [get("/health/live").slice(0, -2), post({ query: "{ __typename }" }).slice(0, -2)];
    const sockets = halves.flatMap((half) => unreadSockets(gateway.origin, 100, half));
    const dripping = setInterval(() => {
      for (const socket of sockets) socket.write("x");
    }, 500);
    closing.push(() => {
      clearInterval(dripping);
      for (const socket of sockets) socket.destroy();
    });
    const requested = Array.from({ length: 200 }, async () => {
      return (await gateway.execute('{ sipEndpoint(username: "alice") { username } }')).status;
    });
    expect(new Set(await Promise.all(requested))).toEqual(new Set([200]));
  });
});

import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { metricsOriginOf, scrape, sumOf } from "../support/gateway/metrics.js";
import { killPrograms } from "../support/program.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const env = { PORT: "0", METRICS_PORT: "0", AUTH: "none", PIOPIY_URL: "emulator" };
/** When a worker dies, connections that it has not accepted yet are lost, so a request may get no response. */
const TIMEOUT_MS = 60_000;
const OPERATIONS = "graphql_operation_duration_seconds_count";

afterEach(killPrograms);

/** Sends a request on a new connection, which any worker may accept. */
async function send(
  url: string,
  method = "GET",
  body?: string,
): Promise<{ status?: number; type?: string; body: string }> {
  const sent = request(url, {
    method,
    headers: { "content-type": "application/json" },
    agent: new Agent(),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const { statusCode: status = 0, headers } = response;
  return { status, type: headers["content-type"] ?? "", body: await text(response) };
}

async function execute(gateway: BuiltGateway): Promise<void> {
  const query = 'query Count { sipEndpoint(username: "alice") { type } }';
  expect((await send(`${gateway.origin}/graphql`, "POST", JSON.stringify({ query }))).status).toBe(200);
}

describe("METRICS_PORT", () => {
  it("has the metrics and the health routes, for GET and HEAD, and no other route", async () => {
    const gateway = await startBuiltGateway(env);
    const origin = metricsOriginOf(gateway);
    expect(await send(`${origin}/metrics`)).toMatchObject({
      status: 200,
      type: "text/plain; version=0.0.4; charset=utf-8",
      body: expect.stringContaining("\ngateway_build_info{version="),
    });
    expect(await send(`${origin}/metrics`, "HEAD")).toMatchObject({ status: 200, body: "" });
    expect(await send(`${origin}/health/live`)).toMatchObject({ status: 200, body: '{"status":"live"}' });
    expect(await send(`${origin}/health/ready`)).toMatchObject({
      status: 200,
      body: '{"status":"ready","piopiy":"unknown","redis":"off"}',
    });
    const notFound = { status: 404, body: "Not found. Use GET /metrics, /health/live or /health/ready.\n" };
    expect(await send(`${origin}/graphql?query={__typename}`)).toMatchObject(notFound);
    expect(await send(`${origin}/metrics`, "POST", "{}")).toMatchObject(notFound);
    expect(await send(`${origin}/metrics`, "POST", "no JSON")).toMatchObject({
      status: 400,
      body: "The request is not valid. Use GET /metrics, /health/live or /health/ready.\n",
    });
    expect((await send(`${gateway.origin}/metrics`)).status).toBe(404);
  });

  it("is printed by LOG_FORMAT=pretty", async () => {
    const port = await freePort();
    const gateway = await startBuiltGateway({ ...env, METRICS_PORT: String(port), LOG_FORMAT: "pretty" });
    expect(gateway.output.stdout).toContain(`\nMetrics      http://127.0.0.1:${port}/metrics\n`);
  });

  it.each(["1", "2"])("must be free, with WORKERS=%s", async (WORKERS) => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      await expect(startBuiltGateway({ ...env, WORKERS, METRICS_PORT: String(port) })).rejects.toThrow(
        `the gateway did not start:\nPort ${port} on 127.0.0.1 is in use. Set METRICS_PORT to another port, or to 0 for any free port.\n`,
      );
    } finally {
      server.close();
    }
  });

  it.each([
    "1",
    "2",
  ])("reports that the gateway closes until it has exited, with WORKERS=%s", async (WORKERS) => {
    const gateway = await startBuiltGateway({ ...env, WORKERS, SHUTDOWN_DELAY_MS: "3000" });
    const ready = `${metricsOriginOf(gateway)}/health/ready`;
    gateway.child.kill("SIGTERM");
    await until(async () => (await send(ready)).status === 503);
    expect(await send(ready)).toMatchObject({
      status: 503,
      body: '{"status":"closing","piopiy":"unknown","redis":"off"}',
    });
    await execute(gateway);
    expect(await gateway.end).toBe(0);
  });

  it("adds up the metrics of all workers, also after one was replaced", async () => {
    const gateway = await startBuiltGateway({ ...env, WORKERS: "2" });
    const workers = () =>
      new Set(
        [...gateway.output.stdout.matchAll(/"pid":(\d+).*"request completed"/g)].map(([, pid]) =>
          Number(pid),
        ),
      );
    let count = 0;
    await until(async () => {
      await execute(gateway);
      count++;
      return workers().size === 2;
    });
    const samples = await scrape(gateway);
    expect(sumOf(samples, OPERATIONS, { graphql_operation_name: "Count" })).toBe(count);
    expect(sumOf(samples, "piopiy_state")).toBe(2);
    expect(sumOf(samples, "piopiy_circuit_breaker_open")).toBe(0);
    expect(sumOf(samples, "piopiy_retry_budget_left")).toBe(10);
    expect(sumOf(samples, "gateway_build_info")).toBe(1);
    expect(await send(`${metricsOriginOf(gateway)}/health/ready`)).toMatchObject({
      status: 200,
      body: '{"status":"ready","piopiy":"up","redis":"off"}',
    });
    process.kill([...workers()][0] ?? 0, "SIGKILL");
    await until(async () => {
      await execute(gateway).catch(() => {});
      return workers().size === 3;
    });
    expect(sumOf(await scrape(gateway), "piopiy_state")).toBe(2);
  });
});

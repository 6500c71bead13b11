import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { type BuiltGateway, cachingOn, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { exchange, request } from "../support/http/raw-http.js";
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "../support/telemetry/otlp-receiver.js";
import { until } from "../support/until.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";
const create =
  'mutation { createSipEndpoint(input: { username: "zoe", password: "made-up-9" }) { userErrors { code } } }';

let emulator: Emulator;
let receiver: OtlpReceiver;
let gateway: BuiltGateway;
let requests = 0;

beforeAll(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  receiver = await startOtlpReceiver();
  gateway = await startBuiltGateway({
    ...cachingOn(emulator),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "20",
    MAX_BODY_BYTES: "1000",
    PIOPIY_TIMEOUT_MS: "60000",
    PIOPIY_DEADLINE_MS: "60000",
  });
});
afterAll(async () => {
  gateway.child.kill("SIGKILL");
  await gateway.end;
  await receiver.close();
  await emulator.close();
});
beforeEach(async () => {
  await control("reset", {});
});

async function control(path: string, body: object): Promise<void> {
  await fetch(`${emulator.origin}/_emulator/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Returns an operation that reads one endpoint. */
const read = (username: string) => `query Read { sipEndpoint(username: "${username}") { username } }`;

/** Sends an operation with a request id of its own, which it returns. */
async function send(
  query: string,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<string> {
  const requestId = `request-${++requests}`;
  const response = await fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-request-id": requestId, ...headers },
    body: JSON.stringify({ query }),
    ...(signal && { signal }),
  });
  await response.text();
  return requestId;
}

/** Waits for the span of a request. */
async function spanOf(requestId: string): Promise<ReceivedSpan> {
  const find = () => receiver.spans.find(({ attributes }) => attributes["gateway.request_id"] === requestId);
  await until(() => find() !== undefined);
  return find() as ReceivedSpan;
}

/** Waits for the span of a request, and returns the spans of its attempts. They end before the span of the request. */
async function attemptsOf(requestId: string): Promise<ReceivedSpan[]> {
  const { spanId } = await spanOf(requestId);
  return receiver.spans.filter(({ parentSpanId }) => parentSpanId === spanId);
}

async function upstreamRequests(): Promise<Record<string, unknown>[]> {
  return (await (await fetch(`${emulator.origin}/_emulator/calls`)).json()) as Record<string, unknown>[];
}

/** Waits for the log entry of a request, and returns all entries of the request. */
async function logOf(requestId: string): Promise<Record<string, unknown>[]> {
  const entries = () =>
    gateway.output.stdout
      .split("\n")
      .flatMap((line) => (line.includes(`"${requestId}"`) ? JSON.parse(line) : []));
  await until(() => entries().some(({ msg }) => msg === "request completed" || msg === "request rejected"));
  return entries();
}

describe("An operation", () => {
  it("is a server span, and its upstream request a client span with the same ids as the request and the log", async () => {
    const id = await send("query Team { sipEndpoints(first: 1) { totalCount } }", {
      "apollographql-client-name": "web",
      "apollographql-client-version": "1.2.0",
    });
    const operation = await spanOf(id);
    expect(operation).toMatchObject({
      name: "query",
      kind: "SERVER",
      parentSpanId: "",
      isFailed: false,
      resource: {
        "service.name": "piopiy-graphql-gateway",
        "service.version": expect.stringMatching(/^\d+\.\d+\.\d+/),
        "service.instance.id": expect.any(String),
      },
    });
    expect(operation.attributes).toEqual({
      "http.request.method": "POST",
      "http.route": "/graphql",
      "http.response.status_code": 200,
      "graphql.operation.type": "query",
      "graphql.operation.name": "Team",
      "gateway.request_id": id,
      "gateway.document_hash": expect.stringMatching(/^[\da-f]{64}$/),
      "gateway.client": expect.stringContaining("127.0.0.1"),
      "gateway.client_name": "web",
      "gateway.client_version": "1.2.0",
      "gateway.cost": expect.any(Number),
      "gateway.cache": "miss",
      "gateway.upstream_requests": 1,
      "gateway.retries": 0,
    });
    const [attempt, ...others] = await attemptsOf(id);
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({
      traceId: operation.traceId,
      name: "POST list_sip",
      kind: "CLIENT",
      isFailed: false,
    });
    expect(attempt?.attributes).toEqual({
      "http.request.method": "POST",
      "http.response.status_code": 200,
      "url.full": `${emulator.url}list_sip`,
      "server.address": "127.0.0.1",
      "server.port": Number(new URL(emulator.url).port),
      "piopiy.operation": "list_sip",
      "piopiy.code": 200,
    });
    expect(await upstreamRequests()).toMatchObject([
      { requestId: id, traceparent: `00-${operation.traceId}-${attempt?.spanId}-01` },
    ]);
    expect(await logOf(id)).toMatchObject([{ trace_id: operation.traceId, span_id: operation.spanId }]);
  });

  it("has a span without upstream requests if its response is cached", async () => {
    await send(read("alice"));
    // A response is stored when all its data comes from the cache.
    await send(read("alice"));
    const id = await send(read("alice"));
    expect((await spanOf(id)).attributes).toMatchObject({
      "graphql.operation.type": "query",
      "graphql.operation.name": "Read",
      "gateway.cache": "hit",
      "gateway.cached_response": true,
      "gateway.upstream_requests": 0,
    });
    expect(await attemptsOf(id)).toEqual([]);
  });

  it("has a span for each attempt of a read that is retried, and the log names the failed attempt", async () => {
    await control("faults", { kind: "status", status: 503, times: 2 });
    const id = await send(read("bob"));
    const attempts = await attemptsOf(id);
    expect(
      attempts.map(({ name, isFailed, attributes }) => [name, isFailed, attributes["error.type"]]),
    ).toEqual([
      ["POST get_sip", true, "503"],
      ["POST get_sip", true, "503"],
      ["POST get_sip", false, undefined],
    ]);
    expect(attempts.map(({ attributes }) => attributes["http.request.resend_count"])).toEqual([
      undefined,
      1,
      2,
    ]);
    expect((await spanOf(id)).attributes).toMatchObject({
      "gateway.retries": 2,
      "gateway.upstream_requests": 3,
    });
    expect((await upstreamRequests()).map(({ traceparent }) => traceparent)).toEqual(
      attempts.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
    );
    const warning = (await logOf(id)).find(({ level }) => level === 40);
    expect(warning).toMatchObject({
      trace_id: attempts[0]?.traceId,
      span_id: attempts[0]?.spanId,
      status: 503,
    });
  });

  it("is failed when PIOPIY fails, with the cause of each attempt", async () => {
    await control("faults", { kind: "reset", times: 3 });
    const id = await send(read("carol"));
    const operation = await spanOf(id);
    expect(operation).toMatchObject({
      isFailed: true,
      attributes: { "error.type": "UPSTREAM_UNAVAILABLE", "gateway.error_codes": ["UPSTREAM_UNAVAILABLE"] },
    });
    const attempts = await attemptsOf(id);
    expect(attempts.map(({ attributes }) => attributes["error.type"])).toEqual(Array(3).fill("ECONNRESET"));
  });

  it("is not failed if the client disconnects, which aborts the attempt", async () => {
    await control("faults", { kind: "hang" });
    const client = new AbortController();
    const response = send(read("erin"), {}, client.signal);
    await until(async () => (await upstreamRequests()).length === 1);
    client.abort();
    await expect(response).rejects.toThrow();
    const id = `request-${requests}`;
    expect(await spanOf(id)).toMatchObject({ isFailed: false, attributes: { "gateway.aborted": true } });
    expect(await attemptsOf(id)).toMatchObject([{ isFailed: true, attributes: { "error.type": "aborted" } }]);
  });

  it("has a span for each step of write reconciliation", async () => {
    await control("faults", { operation: "add_sip", kind: "reset" });
    const attempts = await attemptsOf(await send(create));
    expect(
      attempts.map(({ name, isFailed, attributes }) => [name, isFailed, attributes["piopiy.code"]]),
    ).toEqual([
      ["POST add_sip", true, undefined],
      ["POST get_sip", false, 400],
      ["POST add_sip", false, 200],
    ]);
    expect(attempts.map(({ attributes }) => attributes["http.request.resend_count"])).toEqual([
      undefined,
      undefined,
      1,
    ]);
  });

  it("belongs to the trace of the client", async () => {
    const id = await send(read("alice"), {
      traceparent: `00-${traceId}-${parentId}-01`,
      tracestate: "vendor=value",
    });
    expect(await spanOf(id)).toMatchObject({ traceId, parentSpanId: parentId });
  });

  it("is not exported if the client does not sample its trace, which PIOPIY and the log still receive", async () => {
    const id = await send(read("dave"), {
      traceparent: `00-${traceId}-${parentId}-00`,
    });
    const [{ traceparent } = {}] = await upstreamRequests();
    expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[\\da-f]{16}-00$`));
    expect(await logOf(id)).toMatchObject([{ trace_id: traceId }]);
    await spanOf(await send("{ __typename }"));
    expect(receiver.spans.filter(({ attributes }) => attributes["gateway.request_id"] === id)).toEqual([]);
  });

  it.each([
    "",
    "made-up",
    `00-${"0".repeat(32)}-${parentId}-01`,
    `ff-${traceId}-${parentId}-01`,
  ])("starts a new trace if the header traceparent is invalid: '%s'", async (traceparent) => {
    const span = await spanOf(await send(read("alice"), { traceparent }));
    expect(span.parentSpanId).toBe("");
    expect(span.traceId).not.toBe(traceId);
  });
});

describe("A rejected request", () => {
  const body = JSON.stringify({ query: "{ __typename }" });
  const json = { "content-type": "application/json" };

  it.each<[string, string, object]>([
    [
      "by its media type",
      request(body, { "content-type": "text/plain" }),
      { "http.response.status_code": 415 },
    ],
    [
      "by its size",
      request(" ".repeat(1001), json),
      { "http.response.status_code": 413, "gateway.limit": "MAX_BODY_BYTES" },
    ],
    [
      "by its Host header",
      request(body, json).replace("host: localhost", "host: evil.example"),
      { "http.response.status_code": 403, "gateway.error_codes": ["FORBIDDEN"] },
    ],
    [
      "by its method",
      request(body, json, "PUT /graphql"),
      { "http.response.status_code": 405, "http.request.method": "PUT" },
    ],
    [
      "by its syntax",
      request(JSON.stringify({ query: "{" }), json),
      { "http.response.status_code": 400, "gateway.error_codes": ["GRAPHQL_PARSE_FAILED"] },
    ],
    [
      "by validation",
      request(JSON.stringify({ query: "query Name { unknown }" }), json),
      { "http.response.status_code": 422, "gateway.error_codes": ["GRAPHQL_VALIDATION_FAILED"] },
    ],
  ])("has a span that is not failed: %s", async (_, bytes, attributes) => {
    const id = `request-${++requests}`;
    await exchange(gateway.origin, bytes.replace("\r\n", `\r\nx-request-id: ${id}\r\n`));
    expect(await spanOf(id)).toMatchObject({ kind: "SERVER", isFailed: false, attributes });
  });
});

describe("The exported spans", () => {
  it("contain no document, variable, password or secret", async () => {
    await control("faults", { kind: "garbage" });
    await attemptsOf(await send(create));
    await spanOf(await send('{ sipEndpoint(username: "made-up-name") { username password } }'));
    const text = Buffer.concat(receiver.bodies).toString("latin1");
    expect(text).toContain("POST add_sip");
    expect(text).not.toMatch(/sipEndpoint|made-up|emulator-secret|maintenance/i);
  });
});

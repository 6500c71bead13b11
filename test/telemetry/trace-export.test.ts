import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { type BuiltGateway, cachingOn, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { connectToWorkers } from "../support/gateway/worker-connections.js";
import { killPrograms } from "../support/program.js";
import { type OtlpReceiver, startOtlpReceiver } from "../support/telemetry/otlp-receiver.js";
import { until } from "../support/until.js";

const READ = '{ sipEndpoint(username: "alice") { username } }';
/** Milliseconds: longer than a test, so that only the exit causes an export. */
const NEVER = "3600000";

let emulator: Emulator;
let receiver: OtlpReceiver;
let coverage: string;
beforeEach(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  receiver = await startOtlpReceiver();
  coverage = mkdtempSync(join(tmpdir(), "coverage-"));
});
afterEach(async () => {
  await killPrograms();
  await receiver.close();
  await emulator.close();
  rmSync(coverage, { recursive: true });
});

const start = (settings: Record<string, string>) =>
  startBuiltGateway({ ...cachingOn(emulator), ...settings });

/** Sends an operation, and returns the status of the response. */
async function ask(
  gateway: BuiltGateway,
  headers: Record<string, string> = {},
  query = READ,
): Promise<number> {
  const { status } = await fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
  return status;
}

/** Stops a gateway by SIGTERM, and returns its exit code. */
async function stop({ child, end }: BuiltGateway): Promise<unknown> {
  child.kill("SIGTERM");
  return end;
}

const entriesOf = ({ output }: BuiltGateway) =>
  output.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const settingsOf = (gateway: BuiltGateway) =>
  entriesOf(gateway).find(({ msg }) => msg === "the gateway listens").settings;

const failuresOf = (gateway: BuiltGateway) =>
  entriesOf(gateway).filter(({ msg }) => msg.startsWith("spans could not be exported"));

/** Returns the files that a program has loaded, from the coverage that Node.js writes at its exit. */
function loadedFiles(): string[] {
  return readdirSync(coverage)
    .flatMap((name) => JSON.parse(readFileSync(join(coverage, name), "utf8")).result)
    .map(({ url }: { url: string }) => url);
}

describe("The SDK of OpenTelemetry", () => {
  const bundled = /trace-export-[^/]*\.js$/;

  it.each<[string, (receiver: OtlpReceiver) => Record<string, string>]>([
    ["no address for spans", () => ({})],
    [
      "OTEL_SDK_DISABLED=true",
      ({ url }) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: "true" }),
    ],
  ])("is not loaded, and no trace is sent to PIOPIY: %s", async (_, settings) => {
    const gateway = await start({ ...settings(receiver), NODE_V8_COVERAGE: coverage });
    await ask(gateway, { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
    const [request] = (await (await fetch(`${emulator.origin}/_emulator/calls`)).json()) as object[];
    expect(request).toEqual(expect.objectContaining({ requestId: expect.any(String) }));
    expect(request).not.toHaveProperty("traceparent");
    expect(await stop(gateway)).toBe(0);
    expect(gateway.output.stdout).not.toContain("trace_id");
    expect(settingsOf(gateway).tracing).toBe(false);
    expect(loadedFiles().filter((url) => /\/program\/.*\.js$/.test(url))).not.toEqual([]);
    expect(loadedFiles().filter((url) => bundled.test(url))).toEqual([]);
    expect(receiver.requests).toEqual([]);
  });

  it("is a file of its own that is loaded if OTEL_EXPORTER_OTLP_ENDPOINT is set", async () => {
    const gateway = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, NODE_V8_COVERAGE: coverage });
    expect(await stop(gateway)).toBe(0);
    expect(settingsOf(gateway).tracing).toBe(true);
    expect(loadedFiles().filter((url) => bundled.test(url))).toHaveLength(1);
  });
});

describe("The export of spans", () => {
  it.each<[string, (url: string) => Record<string, string>, string]>([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", (url) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: url }), "/v1/traces"],
    ["its path", (url) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/tenant/` }), "/tenant/v1/traces"],
    [
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
      (url) => ({
        OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/spans`,
      }),
      "/spans",
    ],
  ])("uses the address of %s, and finishes before the exit", async (_, settings, path) => {
    const gateway = await start({ ...settings(receiver.url), OTEL_BSP_SCHEDULE_DELAY: NEVER });
    await ask(gateway);
    expect(await stop(gateway)).toBe(0);
    expect(receiver.requests.map(({ url }) => url)).toEqual([path]);
    expect(receiver.requests[0]?.headers["content-type"]).toBe("application/x-protobuf");
    expect(receiver.spans.map(({ kind }) => kind)).toEqual(["CLIENT", "SERVER"]);
  });

  it("uses the standard variables for the resource, the headers and the sampler", async () => {
    const gateway = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20made-up-token",
      OTEL_SERVICE_NAME: "telephony",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test,service.version=7",
      OTEL_TRACES_SAMPLER: "parentbased_always_off",
    });
    await ask(gateway);
    await ask(gateway, { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });
    expect(await stop(gateway)).toBe(0);
    expect(receiver.requests[0]?.headers.authorization).toBe("Bearer made-up-token");
    expect(receiver.spans).toMatchObject([
      {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        resource: {
          "service.name": "telephony",
          "service.version": "7",
          "deployment.environment.name": "test",
        },
      },
    ]);
    expect(gateway.output.stdout).not.toContain("made-up");
    expect(gateway.output.stderr).toBe("");
  });

  it("is done by each worker", async () => {
    const gateway = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, WORKERS: "2" });
    const workers = await connectToWorkers(gateway, 2);
    for (const { connection } of workers) connection.close();
    expect(await stop(gateway)).toBe(0);
    expect(new Set(receiver.spans.map(({ resource }) => resource["service.instance.id"])).size).toBe(2);
  });
});

describe("A collector that fails", () => {
  it.each<[string, string, (receiver: OtlpReceiver) => unknown]>([
    ["is not there", "ECONNREFUSED", (receiver) => receiver.close()],
    [
      "refuses the headers",
      "HTTP 401",
      (receiver) => receiver.respond((response) => response.writeHead(401).end("made-up")),
    ],
    [
      "is overloaded",
      "HTTP 429, 502, 503 or 504",
      (receiver) => receiver.respond((response) => response.writeHead(503).end()),
    ],
    [
      "closes the connection",
      "ECONNRESET",
      (receiver) => receiver.respond((response) => response.socket?.resetAndDestroy()),
    ],
    ["does not respond", "timeout", (receiver) => receiver.respond(() => {})],
  ])("fails no request, and is logged once: it %s", async (_, reason, fail) => {
    await fail(receiver);
    const gateway = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=made-up-token",
      // Shorter than the pause before the exporter repeats a request.
      OTEL_EXPORTER_OTLP_TIMEOUT: "700",
      OTEL_BSP_SCHEDULE_DELAY: "20",
    });
    // An operation without an upstream request has one span.
    expect(await ask(gateway, {}, "{ __typename }")).toBe(200);
    await until(() => failuresOf(gateway).length > 0);
    expect(await ask(gateway)).toBe(200);
    expect(await stop(gateway)).toBe(0);
    expect(failuresOf(gateway)).toMatchObject([{ level: 40, reason, lostSpans: 1 }]);
    expect(gateway.output.stdout).not.toContain("made-up");
  });

  it("does not delay the exit when it does not respond", async () => {
    receiver.respond(() => {});
    const gateway = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: NEVER,
      OTEL_BSP_SCHEDULE_DELAY: NEVER,
    });
    await ask(gateway);
    // After 15 seconds, the exit code would be 1.
    expect(await stop(gateway)).toBe(0);
    expect(receiver.requests).toHaveLength(1);
  });
});

import type { GatewayPlugin, OnFetchHookPayload } from "@graphql-hive/gateway-runtime";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { type Context, ROOT_CONTEXT, SpanKind, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { cachingOn, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { killPrograms } from "../support/program.js";
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "../support/telemetry/otlp-receiver.js";
import { until } from "../support/until.js";
import { startEmployees } from "./employees.js";
import { type Router, startHiveGateway } from "./routers.js";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const parentId = "b7ad6b7169203331";

let emulator: Emulator;
let receiver: OtlpReceiver;
let employees: Awaited<ReturnType<typeof startEmployees>>;
let router: Router;

beforeAll(async () => {
  emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  receiver = await startOtlpReceiver();
  employees = await startEmployees();
  const gateway = await startBuiltGateway({
    ...cachingOn(emulator),
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "20",
  });
  router = await startHiveGateway(`${gateway.origin}/graphql`, employees.url, [], [tracing(receiver.url)]);
});
afterAll(async () => {
  await router.close();
  await killPrograms();
  employees.close();
  await receiver.close();
  await emulator.close();
});

/** Returns a plugin of Hive Gateway that traces its requests to subgraphs. Hive's own plugin needs fifty further packages. */
function tracing(url: string): GatewayPlugin {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "router" }),
    spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${url}/v1/traces` }))],
  });
  const tracer = provider.getTracer("router");
  const propagator = new W3CTraceContextPropagator();
  const contexts = new WeakMap<object, Context>();
  const start = (name: string, kind: SpanKind, parent: Context) =>
    trace.setSpan(parent, tracer.startSpan(name, { kind }, parent));
  return {
    onRequest({ request }: { readonly request: Request }) {
      const getter = {
        get: (_: object, key: string) => request.headers.get(key) ?? undefined,
        keys: () => [],
      };
      contexts.set(request, start("router", SpanKind.SERVER, propagator.extract(ROOT_CONTEXT, {}, getter)));
    },
    onResponse({ request }: { readonly request: Request }) {
      trace.getSpan(contexts.get(request) ?? ROOT_CONTEXT)?.end();
    },
    onFetch({ context: received, options, setOptions }: OnFetchHookPayload<object>) {
      const { request } = received as { readonly request?: Request };
      const context = start("subgraph", SpanKind.CLIENT, contexts.get(Object(request)) ?? ROOT_CONTEXT);
      const headers: Record<string, string> = {};
      propagator.inject(context, headers, {
        set: (carrier, key, value) => Object.assign(carrier, { [key]: value }),
      });
      setOptions({ ...options, headers: { ...options.headers, ...headers } });
      return () => trace.getSpan(context)?.end();
    },
  };
}

it("An operation behind Hive Gateway is one trace, from the client to each upstream request", async () => {
  const response = await fetch(router.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-request-id": "order-66",
      traceparent: `00-${traceId}-${parentId}-01`,
    },
    body: JSON.stringify({ query: "{ employees { name softphone { sipUri } } }" }),
  });
  expect(await response.json()).toMatchObject({ data: { employees: expect.any(Array) } });

  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  await until(() => named("router").length === 1 && named("query").length === 1);
  const [operation] = named("query") as [ReceivedSpan];
  const [first] = named("router") as [ReceivedSpan];
  const subgraph = named("subgraph").find(({ spanId }) => spanId === operation.parentSpanId);
  expect(operation.attributes).toMatchObject({
    "gateway.request_id": "order-66",
    "gateway.upstream_requests": 3,
  });
  expect([first.parentSpanId, subgraph?.parentSpanId]).toEqual([parentId, first.spanId]);
  expect(named("POST get_sip").map(({ parentSpanId }) => parentSpanId)).toEqual(
    Array(3).fill(operation.spanId),
  );
  expect(new Set(receiver.spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(new Set(receiver.spans.map(({ resource }) => resource["service.name"]))).toEqual(
    new Set(["router", "piopiy-graphql-gateway"]),
  );
  const upstream = (await (await fetch(`${emulator.origin}/_emulator/calls`)).json()) as {
    traceparent: string;
  }[];
  expect(upstream.map(({ traceparent }) => traceparent.split("-")[1])).toEqual(Array(3).fill(traceId));
});

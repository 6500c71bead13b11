import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A span that the receiver has decoded. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isFailed: boolean;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** A collector that receives spans by OTLP over HTTP, in protobuf. */
export interface OtlpReceiver {
  /** The value of `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  readonly requests: readonly { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[];
  /** The bodies of all requests. */
  readonly bodies: readonly Buffer[];
  /** Sets the response to all further requests. Their spans are not recorded. */
  respond(responder: (response: ServerResponse) => void): void;
  close(): Promise<void>;
}

const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT"];
const ERROR = 2n;

/** Starts a collector on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
  const bodies: Buffer[] = [];
  let responder: ((response: ServerResponse) => void) | undefined;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    requests.push({ url: request.url, headers: request.headers });
    bodies.push(body);
    if (responder) return responder(response);
    spans.push(...spansIn(body));
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    bodies,
    respond(next) {
      responder = next;
    },
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Decodes an `ExportTraceServiceRequest`. The numbers of the fields are those of opentelemetry-proto. */
function spansIn(body: Buffer): ReceivedSpan[] {
  return messages(body, 1).flatMap((resourceSpans) => {
    const resource = attributesOf(messages(resourceSpans, 1)[0] ?? Buffer.of(), 1);
    const found = messages(resourceSpans, 2).flatMap((scopeSpans) => messages(scopeSpans, 2));
    return found.map((span) => ({ ...decodeSpan(span), resource }));
  });
}

function decodeSpan(span: Buffer): Omit<ReceivedSpan, "resource"> {
  const [traceId = "", spanId = "", parentSpanId = ""] = [1, 2, 4].map((field) =>
    messages(span, field)
      .map((id) => id.toString("hex"))
      .join(),
  );
  const [status = Buffer.of()] = messages(span, 15);
  return {
    traceId,
    spanId,
    parentSpanId,
    name: messages(span, 5).join(),
    kind: KINDS[Number(valuesOf(span, 6)[0])],
    attributes: attributesOf(span, 9),
    isFailed: valuesOf(status, 3)[0] === ERROR,
  };
}

function attributesOf(message: Buffer, field: number): Record<string, unknown> {
  const pairs = messages(message, field).map((pair) => [
    messages(pair, 1).join(),
    decodeValue(messages(pair, 2)[0] ?? Buffer.of()),
  ]);
  return Object.fromEntries(pairs);
}

/** Decodes an `AnyValue`: a text, a boolean, a whole number or an array. */
function decodeValue(value: Buffer): unknown {
  const [[field, content] = []] = fieldsOf(value);
  if (field === 2) return content === 1n;
  if (field === 5) return messages(content as Buffer, 1).map(decodeValue);
  return field === 3 ? Number(content) : String(content);
}

function messages(message: Buffer, field: number): Buffer[] {
  return valuesOf(message, field) as Buffer[];
}

function valuesOf(message: Buffer, field: number): (Buffer | bigint)[] {
  return fieldsOf(message).flatMap(([number, value]) => (number === field ? [value] : []));
}

/** Reads the fields of a protobuf message, with their numbers. */
function fieldsOf(message: Buffer): (readonly [number: number, value: Buffer | bigint])[] {
  const fields: (readonly [number, Buffer | bigint])[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number) => {
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const type = tag & 7;
    if (![0, 1, 2, 5].includes(type)) throw new Error(`a protobuf message has the wire type ${type}`);
    const value = type === 0 ? varint() : bytes(type === 2 ? Number(varint()) : type === 1 ? 8 : 4);
    fields.push([tag >> 3, value]);
  }
  return fields;
}

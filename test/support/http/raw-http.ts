import { connect } from "node:net";

/** Bytes of a request. Each character is one byte. */
export type Bytes = string;

const JSON_TYPE = { "content-type": "application/json" };

/** Returns the bytes of a complete HTTP request with `Connection: close`. */
export function request(
  body: string,
  headers: Record<string, string> = JSON_TYPE,
  line = "POST /graphql",
): Bytes {
  const bytes = Buffer.from(body).toString("latin1");
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const length = body && `content-length: ${bytes.length}\r\n`;
  return `${line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${lines.join("")}${length}\r\n${bytes}`;
}

/** Parsed HTTP response. */
export interface RawResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends bytes unchanged, waits until the connection is closed or broken, and returns the responses.
 *
 * @param enough ends the connection when it resolves; without it the gateway ends the connection
 */
export async function exchange(
  origin: string,
  bytes: Bytes,
  enough?: Promise<unknown>,
): Promise<RawResponse[]> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk)).on("error", () => socket.destroy());
  socket.write(Buffer.from(bytes, "latin1"));
  void enough?.then(() => socket.end());
  await new Promise((resolve) => socket.once("close", resolve));
  return responsesIn(Buffer.concat(chunks));
}

function responsesIn(bytes: Buffer): RawResponse[] {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return [];
  const head = bytes.subarray(0, end).toString("latin1");
  const rest = bytes.subarray(end + 4);
  // Node.js itself responds to an unknown header Expect, with the last chunk only.
  const chunked = /^transfer-encoding: chunked/im.test(head);
  const length = chunked
    ? rest.indexOf("0\r\n\r\n")
    : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const response = { status: Number(head.split(" ")[1]), body: rest.subarray(0, length).toString() };
  return [response, ...responsesIn(rest.subarray(length + (chunked ? 5 : 0)))];
}

import { connect } from "node:net";

/** The bytes of a request, of which each character is one. */
export type Bytes = string;

const JSON_TYPE = { "content-type": "application/json" };

/** A request that HTTP can carry: it is whole, and asks for the connection to be closed after the answer. */
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

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends bytes as they stand and waits until the connection is closed. A connection that broke is a closed one.
 *
 * @param enough when no more is sent, at the latest; else the gateway closes
 */
export async function exchange(
  origin: string,
  bytes: Bytes,
  enough?: Promise<unknown>,
): Promise<RawAnswer[]> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk)).on("error", () => socket.destroy());
  socket.write(Buffer.from(bytes, "latin1"));
  void enough?.then(() => socket.end());
  await new Promise((resolve) => socket.once("close", resolve));
  return answersIn(Buffer.concat(chunks));
}

function answersIn(bytes: Buffer): RawAnswer[] {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return [];
  const head = bytes.subarray(0, end).toString("latin1");
  const rest = bytes.subarray(end + 4);
  // Node answers a request without a Host by itself, in no chunks but the last.
  const chunked = /^transfer-encoding: chunked/im.test(head);
  const length = chunked
    ? rest.indexOf("0\r\n\r\n")
    : Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const answer = { status: Number(head.split(" ")[1]), body: rest.subarray(0, length).toString() };
  return [answer, ...answersIn(rest.subarray(length + (chunked ? 5 : 0)))];
}

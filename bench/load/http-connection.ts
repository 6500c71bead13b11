import { connect, type Socket } from "node:net";

export interface HttpResponse {
  readonly status: number;
  readonly body: Buffer;
}

type OnResponse = (response: HttpResponse) => void;

const NOTHING = Buffer.alloc(0);

/**
 * A persistent HTTP/1.1 connection for one request at a time. It parses only the formats that the contestants send
 * (content-length or chunks), because the load must use far less processor time than the contestant.
 */
export class HttpConnection {
  readonly opened: Promise<void>;
  readonly #socket: Socket;
  #received: Buffer = NOTHING;
  #onResponse: OnResponse | undefined;

  /** @param failed is called when the connection fails, or is closed before `close` is called */
  constructor(
    private readonly url: URL,
    failed: (error: Error) => void,
  ) {
    this.#socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    this.opened = new Promise((resolve) => this.#socket.once("connect", resolve));
    this.#socket.on("data", (data) => this.#read(data));
    this.#socket.once("error", failed);
    this.#socket.once("close", () => failed(new Error("the connection was closed")));
  }

  /** Sends a POST request with JSON text. */
  post(body: string, onResponse: OnResponse): void {
    this.#onResponse = onResponse;
    this.#socket.write(
      `POST ${this.url.pathname} HTTP/1.1\r\nhost: ${this.url.host}\r\ncontent-type: application/json\r\naccept: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  }

  close(): void {
    this.#socket.removeAllListeners("close").removeAllListeners("error");
    this.#socket.on("error", () => undefined).destroy();
  }

  #read(data: Buffer): void {
    this.#received = this.#received.length === 0 ? data : Buffer.concat([this.#received, data]);
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.toString("latin1", 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const rest = this.#received.subarray(end + 4);
    const body = length === undefined ? joinChunks(rest) : take(rest, Number(length));
    if (body === undefined) return;
    this.#received = NOTHING;
    const onResponse = this.#onResponse;
    this.#onResponse = undefined;
    onResponse?.({ status: Number(head.slice(9, 12)), body });
  }
}

function take(bytes: Buffer, length: number): Buffer | undefined {
  return bytes.length < length ? undefined : bytes.subarray(0, length);
}

/** Joins the chunks of a body. Returns undefined until the last chunk has arrived. */
function joinChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const begin = lineEnd + 2;
    if (bytes.length < begin + size + 2) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(begin, begin + size));
    at = begin + size + 2;
  }
}

/** The connections of one job. `broken` is rejected when one of them fails. */
export class Connections {
  readonly broken: Promise<never>;
  readonly #all: HttpConnection[] = [];
  readonly #url: URL;
  #fail: (error: Error) => void = () => undefined;

  constructor(url: string) {
    this.#url = new URL(url);
    this.broken = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.broken.catch(() => undefined);
  }

  async open(): Promise<HttpConnection> {
    const connection = new HttpConnection(this.#url, this.#fail);
    this.#all.push(connection);
    await connection.opened;
    return connection;
  }

  openMany(count: number): Promise<HttpConnection[]> {
    return Promise.all(Array.from({ length: count }, () => this.open()));
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }
}

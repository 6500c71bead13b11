import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { addressesOf } from "./addresses.js";
import {
  type Connect,
  type Flow,
  MAX_CONNECTIONS,
  MAX_MESSAGE_BYTES,
  MAX_UNREAD_BYTES,
  type Wire,
} from "./flow.js";
import { MAX_HEADER_LENGTH } from "./normalize-message.js";

/** Milliseconds for a started message to be complete. */
const MESSAGE_MS = 30_000;
/** Milliseconds after which a connection without data, phone and call is closed. */
const IDLE_MS = 60_000;
const END_OF_HEADERS = Buffer.from("\r\n\r\n");

/** SIP over TCP: one flow for each connection. */
export class TcpTransport {
  readonly #connections = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly connect: Connect,
    private readonly isInUse: (flow: Flow) => boolean,
  ) {
    server.maxConnections = MAX_CONNECTIONS;
    server.on("connection", (socket) => this.#open(socket));
    // A failed accept, for example without free file descriptors, is lost like a refused connection.
    server.on("error", () => {});
  }

  /** Opens a port. Rejects with the error of the system. */
  static async open(
    address: string,
    port: number,
    connect: Connect,
    isInUse: (flow: Flow) => boolean,
  ): Promise<TcpTransport> {
    const server = createServer({ noDelay: true });
    const listening = once(server, "listening");
    server.listen(port, address);
    await listening;
    return new TcpTransport(server, connect, isInUse);
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  }

  async close(): Promise<void> {
    const closed = once(this.server, "close");
    this.server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  #open(socket: Socket): void {
    // The phone has closed the connection before it was accepted.
    if (socket.localAddress === undefined || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    this.#connections.add(socket);
    const flow = this.connect(wireOf(socket));
    let unfinished: NodeJS.Timeout | undefined;
    const endOfMessage = () => {
      clearTimeout(unfinished);
      unfinished = undefined;
    };
    const stream = new MessageStream(
      (message) => {
        endOfMessage();
        flow.receive(message);
      },
      () => flow.wire.send("\r\n"),
    );
    socket.on("error", () => {});
    socket.on("close", () => {
      endOfMessage();
      this.#connections.delete(socket);
      flow.close();
    });
    socket.on("data", (data) => {
      if (!stream.push(data)) socket.destroy();
      if (!stream.isInMessage || socket.destroyed) endOfMessage();
      else unfinished ??= setTimeout(() => socket.destroy(), MESSAGE_MS);
    });
    socket.setTimeout(IDLE_MS);
    socket.on("timeout", () => {
      // A callback of setTimeout is called only once.
      if (this.isInUse(flow)) socket.setTimeout(IDLE_MS);
      else socket.destroy();
    });
  }
}

function wireOf(socket: Socket): Wire {
  return {
    transport: "tcp",
    ...addressesOf(socket),
    send(message) {
      if (socket.writable) socket.write(message);
      if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
    },
    close() {
      // Sends what is written first, but does not wait for the phone.
      socket.once("finish", () => socket.destroy());
      socket.end();
    },
  };
}

/** Splits a stream into messages by their Content-Length (RFC 3261, 18.3). */
class MessageStream {
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes of `#rest` that contain no end of headers. */
  #searched = 0;
  /** Bytes of the message at the start of `#rest`, when its headers are complete. */
  #length: number | undefined;

  constructor(
    private readonly onMessage: (message: string) => void,
    private readonly onKeepAlive: () => void,
  ) {}

  get isInMessage(): boolean {
    return this.#rest.length > 0;
  }

  /** Returns false if the rest of the stream cannot be divided into messages. */
  push(data: Buffer): boolean {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    while (this.#rest.length > 0) {
      if (this.#length === undefined) {
        this.#skipEmptyLines();
        const end = this.#rest.indexOf(END_OF_HEADERS, Math.max(0, this.#searched - 3));
        this.#searched = this.#rest.length;
        if (end === -1) return this.#rest.length <= MAX_HEADER_LENGTH;
        const length =
          end <= MAX_HEADER_LENGTH ? contentLength(this.#rest.toString("latin1", 0, end)) : undefined;
        if (length === undefined) return false;
        this.#length = end + END_OF_HEADERS.length + length;
        if (this.#length > MAX_MESSAGE_BYTES) return false;
      }
      if (this.#rest.length < this.#length) return true;
      const message = this.#rest.toString("utf8", 0, this.#length);
      this.#take(this.#length);
      this.#length = undefined;
      this.onMessage(message);
    }
    return true;
  }

  /** Two empty lines between messages are a keep-alive (RFC 5626, 4.4.1). */
  #skipEmptyLines(): void {
    let count = 0;
    while (this.#rest[count] === 13 && this.#rest[count + 1] === 10) count += 2;
    if (count >= 4) this.onKeepAlive();
    this.#take(count);
  }

  #take(bytes: number): void {
    if (bytes === 0) return;
    this.#rest = this.#rest.subarray(bytes);
    this.#searched = 0;
  }
}

/** Returns the only Content-Length, or undefined if it is missing, repeated or invalid. */
function contentLength(headers: string): number | undefined {
  const lines = headers.split("\r\n").filter((line) => /^(content-length|l)[ \t]*:/i.test(line));
  const [, digits] = /:[ \t]*(\d{1,6})[ \t]*$/.exec(lines[0] ?? "") ?? [];
  return lines.length === 1 && digits !== undefined ? Number(digits) : undefined;
}

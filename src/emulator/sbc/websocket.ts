import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { addressesOf } from "./addresses.js";
import { type Connect, MAX_CONNECTIONS, MAX_MESSAGE_BYTES, MAX_UNREAD_BYTES, type Wire } from "./flow.js";

/** Milliseconds between two pings. A connection without a pong is broken. */
const PING_MS = 30_000;

/** SIP over WebSocket (RFC 7118) on the connections of an HTTP server, at any path. */
export class WebSocketTransport {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: (offered) => offered.has("sip") && "sip",
  });
  readonly #alive = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;

  /**
   * @param allowedOrigins - Origins whose pages may connect, in addition to those on loopback hosts and of the emulator itself.
   * @param hasOwnHost - Whether the Host header of a request names the emulator.
   */
  constructor(
    private readonly allowedOrigins: readonly string[],
    private readonly hasOwnHost: (request: IncomingMessage) => boolean,
    private readonly connect: Connect,
  ) {
    this.#pings = setInterval(() => this.#ping(), PING_MS).unref();
  }

  /** Accepts or refuses an upgrade. The browser's same-origin policy does not protect WebSockets, so the origin is checked. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { origin, "sec-websocket-protocol": protocols = "" } = request.headers;
    if (origin !== undefined && !this.#mayConnect(origin, request)) {
      const shown = JSON.stringify(origin.slice(0, 100));
      const advice = "Open the page at a loopback address, or add its origin to EMULATOR_ALLOWED_ORIGINS.";
      refuse(socket, 403, `Pages of the origin ${shown} may not connect. ${advice}`);
    } else if (!protocols.split(",").some((name) => name.trim() === "sip")) {
      refuse(socket, 400, "The WebSocket must have the subprotocol sip.");
    } else if (this.#server.clients.size >= MAX_CONNECTIONS) {
      refuse(socket, 503, `At most ${MAX_CONNECTIONS} WebSockets are allowed. Close some of them.`);
    } else {
      this.#server.handleUpgrade(request, socket, head, (client) => this.#open(client, socket as Socket));
    }
  }

  close(): void {
    clearInterval(this.#pings);
    for (const client of this.#server.clients) client.terminate();
  }

  #mayConnect(origin: string, request: IncomingMessage): boolean {
    if (isLoopbackOrigin(origin) || this.allowedOrigins.includes(origin)) return true;
    // A foreign host name that resolves to the emulator's address is in both headers, too.
    return origin.replace(/^https?:\/\//, "") === request.headers.host && this.hasOwnHost(request);
  }

  #open(client: WebSocket, socket: Socket): void {
    this.#alive.add(client);
    const flow = this.connect(wireOf(client, socket));
    client.on("pong", () => this.#alive.add(client));
    client.on("close", () => flow.close());
    // An error, such as a message that is too large, closes the connection.
    client.on("error", () => {});
    client.on("message", (data: RawData) => {
      const message = data.toString();
      // RFC 5626, 4.4.1.
      if (message === "\r\n\r\n") flow.wire.send("\r\n");
      else flow.receive(message);
    });
  }

  #ping(): void {
    for (const client of this.#server.clients) {
      if (!this.#alive.delete(client)) client.terminate();
      else client.ping(() => {});
    }
  }
}

function wireOf(client: WebSocket, socket: Socket): Wire {
  return {
    transport: "ws",
    ...addressesOf(socket),
    send(message) {
      client.send(message, () => {});
      if (client.bufferedAmount > MAX_UNREAD_BYTES) client.terminate();
    },
    close() {
      client.close(1001);
      client.terminate();
    },
  };
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { hostname, origin: normal, protocol } = new URL(origin);
  const isPage = protocol === "http:" || protocol === "https:";
  return isPage && normal === origin && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function refuse(socket: Duplex, status: number, error: string): void {
  const body = JSON.stringify({ error });
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

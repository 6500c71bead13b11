import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** Accepts or refuses a WebSocket. */
export type WebSocketHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/**
 * Passes WebSocket upgrades of an HTTP server to a handler, which may be loaded first. Other upgrades, such as curl's to HTTP/2,
 * are ignored as RFC 9110 allows: the request gets a normal response.
 *
 * Returns a function that closes the connections of all upgrades. The server cannot close them itself.
 */
export function handleUpgrades(server: Server, load: () => Promise<WebSocketHandler>): () => void {
  const sockets = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.trim().toLowerCase() !== "websocket") {
      return respondWithoutUpgrade(server, request, socket, head);
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // The client may disconnect while the handler is loaded.
    socket.on("error", () => {});
    load()
      .then((handle) => handle(request, socket, head))
      .catch(() => socket.destroy());
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

/** Gives the connection back to the server, with the same request without its Upgrade header. */
function respondWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== "upgrade")
      lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  socket.unshift(head);
  socket.unshift(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
  server.emit("connection", socket);
}

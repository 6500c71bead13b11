import { once } from "node:events";
import { createServer, type RequestListener, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { createServer as createTlsTerminator } from "node:tls";
import { cert, key } from "./test-authority.js";

/** Request that a proxy has received. */
interface ProxiedRequest {
  /** Host and port of a tunnel, or the URL of a request that is forwarded. */
  readonly target: string;
  readonly authorization: string | undefined;
}

/** Proxy that opens tunnels (`CONNECT`) and forwards http requests. */
export interface EgressProxy {
  readonly port: number;
  /** Requests since the last `respond`. */
  readonly requests: readonly ProxiedRequest[];
  /** Refuses all further requests with an HTTP status, or accepts them again. */
  respond(status?: number): void;
  /** Stops to respond. */
  hang(): void;
  /** Closes all tunnels. */
  closeTunnels(): void;
  close(): Promise<void>;
}

/**
 * Starts a proxy on loopback.
 *
 * @param routes the local ports that stand for the hosts of targets
 */
export async function startEgressProxy(
  routes: Readonly<Record<string, number>>,
  protocol: "http" | "https" = "http",
): Promise<EgressProxy> {
  const requests: ProxiedRequest[] = [];
  const sockets = new Set<Socket>();
  let refusal: number | "hang" | undefined;
  const forward: RequestListener = ({ url = "", method, headers }, response) => {
    const { "proxy-authorization": authorization, ...kept } = headers;
    requests.push({ target: url, authorization });
    if (refusal === "hang") return;
    if (refusal !== undefined) {
      response.writeHead(refusal, { "content-type": "text/html" }).end("<h1>Refused</h1>");
      return;
    }
    const { hostname, pathname } = new URL(url);
    const forwarded = request({ port: routes[hostname], path: pathname, method, headers: kept }, (reply) => {
      response.writeHead(reply.statusCode ?? 0, reply.headers);
      reply.pipe(response);
    });
    response.req.pipe(forwarded);
  };
  const server = protocol === "http" ? createServer(forward) : createTlsServer({ cert, key }, forward);
  server.on("connect", ({ url = "", headers }, client: Socket) => {
    requests.push({ target: url, authorization: headers["proxy-authorization"] });
    sockets.add(client);
    client.on("error", () => {});
    client.once("close", () => sockets.delete(client));
    if (refusal === "hang") return;
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal} Refused\r\ncontent-length: 8\r\n\r\n<h1>No!`);
      return;
    }
    const target = connect(routes[url.replace(/:\d+$/, "")] ?? 0, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    target.on("error", () => client.destroy());
    client.once("close", () => target.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    requests,
    respond(status) {
      refusal = status;
      requests.length = 0;
    },
    hang() {
      refusal = "hang";
    },
    closeTunnels() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Starts a server that terminates TLS and passes the data on to a local port. Returns its port and closes it with `close`. */
export async function startTls(
  target: number,
  identity: { readonly cert: string; readonly key: string } = { cert, key },
): Promise<{ readonly port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createTlsTerminator(identity, (socket) => {
    sockets.add(socket);
    const plain = connect(target, "127.0.0.1");
    socket.on("error", () => plain.destroy());
    plain.on("error", () => socket.destroy());
    socket.pipe(plain).pipe(socket);
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

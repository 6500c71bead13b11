import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Request that the upstream has received. */
export interface UpstreamRequest {
  readonly operation: string;
  /** Complete body, including the account. */
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** Response to a request. A body that is an object is sent as JSON. */
export interface UpstreamResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | object | null;
}

/** A response, or a function that sends a response, a part of it, or nothing. */
export type Responder =
  | UpstreamResponse
  | ((response: ServerResponse, upstreamRequest: UpstreamRequest) => void);

/** Upstream whose responses a test chooses. */
export interface BrokenUpstream {
  readonly url: string;
  /** Requests since the last `respond`. */
  readonly requests: readonly UpstreamRequest[];
  /** Number of connections since the last `respond`, and of open connections. */
  readonly connections: { readonly made: number; readonly open: number };
  /** Sets the responses to the next requests, in this order. The last one is used for all further requests. */
  respond(...responders: Responder[]): void;
  /** Closes all connections and stops listening. */
  close(): Promise<void>;
}

/** PIOPIY's documented response to `get_sip` and `add_sip`. */
export const alice = {
  code: "cmi-200",
  username: "alice",
  password: "made-up-1",
  connect_URL: "sbc.example.com",
  audio: true,
  video: false,
  type: "SIP",
};

const requestOf = new WeakMap<ServerResponse, UpstreamRequest>();

export async function startBrokenUpstream(): Promise<BrokenUpstream> {
  const requests: UpstreamRequest[] = [];
  const connections = { made: 0, open: 0 };
  let responders: Responder[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    const upstreamRequest = {
      operation: request.url?.split("/").at(-1) ?? "",
      body: Buffer.concat(chunks).toString(),
      headers: request.headers,
    };
    requests.push(upstreamRequest);
    requestOf.set(response, upstreamRequest);
    const responder = responders[Math.min(requests.length, responders.length) - 1] ?? {};
    if (typeof responder === "function") responder(response, upstreamRequest);
    else send(response, responder);
  });
  server.on("connection", (socket) => {
    connections.made += 1;
    connections.open += 1;
    socket.once("close", () => {
      connections.open -= 1;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/endpoint/`,
    requests,
    connections,
    respond(...next) {
      responders = next;
      requests.length = 0;
      connections.made = 0;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends a response. The default body is `alice` with the username and the password of the request. */
export function send(response: ServerResponse, { status = 200, headers = {}, body }: UpstreamResponse): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  if (typeof body === "string" || Buffer.isBuffer(body)) response.end(body);
  else response.end(JSON.stringify(body === undefined ? echo(requestOf.get(response)) : body));
}

function echo(request: UpstreamRequest | undefined): object {
  const { username, password } = request ? JSON.parse(request.body) : alice;
  return { ...alice, ...(username && { username }), ...(password && { password }) };
}

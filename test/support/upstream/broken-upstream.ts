import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A call as it reached the upstream. */
export interface BrokenCall {
  readonly operation: string;
  /** The whole body, account and all. */
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** What a call is answered with: an object is sent as JSON. */
export interface BrokenReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | object | null;
}

/** A reply, or a function that sends one, half of one or none. */
export type Behaviour = BrokenReply | ((response: ServerResponse, call: BrokenCall) => void);

/** An upstream that answers as a test says. */
export interface BrokenUpstream {
  readonly url: string;
  /** The calls since `answer` was last called. */
  readonly calls: readonly BrokenCall[];
  /** The connections since `answer` was last called, and those that are open now. */
  readonly connections: { readonly made: number; readonly open: number };
  /** What the next calls get, one after another; the last behaviour is for all that follow. */
  answer(...behaviours: Behaviour[]): void;
  /** Cuts what is open, and refuses connections from now on. */
  close(): Promise<void>;
}

/** An endpoint as PIOPIY's documents show it, in the answer to `get_sip` and `add_sip`. */
export const alice = {
  code: "cmi-200",
  username: "alice",
  password: "made-up-1",
  connect_URL: "sbc.example.com",
  audio: true,
  video: false,
  type: "SIP",
};

const callOf = new WeakMap<ServerResponse, BrokenCall>();

export async function startBrokenUpstream(): Promise<BrokenUpstream> {
  const calls: BrokenCall[] = [];
  const connections = { made: 0, open: 0 };
  let behaviours: Behaviour[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = await request.toArray();
    const call = {
      operation: request.url?.split("/").at(-1) ?? "",
      body: Buffer.concat(chunks).toString(),
      headers: request.headers,
    };
    calls.push(call);
    callOf.set(response, call);
    const behaviour = behaviours[Math.min(calls.length, behaviours.length) - 1] ?? {};
    if (typeof behaviour === "function") behaviour(response, call);
    else send(response, behaviour);
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
    calls,
    connections,
    answer(...next) {
      behaviours = next;
      calls.length = 0;
      connections.made = 0;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Sends a reply whole. Without a body of its own it is `alice`, with the username and the password of the request. */
export function send(response: ServerResponse, { status = 200, headers = {}, body }: BrokenReply): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  if (typeof body === "string" || Buffer.isBuffer(body)) response.end(body);
  else response.end(JSON.stringify(body === undefined ? echo(callOf.get(response)) : body));
}

function echo(call: BrokenCall | undefined): object {
  const { username, password } = call ? JSON.parse(call.body) : alice;
  return { ...alice, ...(username && { username }), ...(password && { password }) };
}

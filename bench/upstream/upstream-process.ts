import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Account, type Operation, operations, reply } from "./piopiy-replies.js";
import type { UpstreamSettings } from "./upstream.js";

// An emulated PIOPIY that validates nothing, so that it is not the bottleneck.
// PUT /settings changes the settings. GET /requests returns the number of requests by operation. DELETE /requests resets it.

const account = new Account(Number(process.env.ENDPOINTS));
let delayMs = 0;
let requests: Record<string, number> = {};

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => {
    text += part;
  });
  request.on("end", () => route(request, response, text));
});

function route({ method, url = "" }: IncomingMessage, response: ServerResponse, text: string): void {
  if (method === "POST") {
    handle(url.slice(url.lastIndexOf("/") + 1) as Operation, response, text);
    return;
  }
  if (method === "PUT") configure(JSON.parse(text));
  if (method === "DELETE") requests = {};
  send(response, JSON.stringify(requests));
}

function handle(operation: Operation, response: ServerResponse, text: string): void {
  if (!operations.includes(operation)) {
    send(response, '{"code":"cmi-404"}', 404);
    return;
  }
  requests[operation] = (requests[operation] ?? 0) + 1;
  const body = reply(operation, JSON.parse(text), account);
  if (delayMs === 0) send(response, body);
  else setTimeout(send, delayMs, response, body);
}

function send(response: ServerResponse, body: string, status = 200): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
}

function configure(settings: UpstreamSettings): void {
  delayMs = settings.delayMs ?? delayMs;
  account.count = settings.endpoints ?? account.count;
}

server.listen(Number(process.env.PORT), "127.0.0.1");

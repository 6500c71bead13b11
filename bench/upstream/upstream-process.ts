import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Account, type Operation, operations, reply } from "./piopiy-replies.js";
import type { UpstreamSettings } from "./upstream.js";

// An emulated PIOPIY that costs so little that it is nobody's bottleneck: it checks nothing.
// PUT /settings takes new settings, GET /calls tells how often it was asked, DELETE /calls begins to count anew.

const account = new Account(Number(process.env.ENDPOINTS));
let delayMs = 0;
let calls: Record<string, number> = {};

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (part: string) => {
    text += part;
  });
  request.on("end", () => answer(request, response, text));
});

function answer({ method, url = "" }: IncomingMessage, response: ServerResponse, text: string): void {
  if (method === "POST") {
    perform(url.slice(url.lastIndexOf("/") + 1) as Operation, response, text);
    return;
  }
  if (method === "PUT") change(JSON.parse(text));
  if (method === "DELETE") calls = {};
  send(response, JSON.stringify(calls));
}

function perform(operation: Operation, response: ServerResponse, text: string): void {
  if (!operations.includes(operation)) {
    send(response, '{"code":"cmi-404"}', 404);
    return;
  }
  calls[operation] = (calls[operation] ?? 0) + 1;
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

function change(settings: UpstreamSettings): void {
  delayMs = settings.delayMs ?? delayMs;
  account.count = settings.endpoints ?? account.count;
}

server.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("The emulated PIOPIY listens."));

import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { alice, type Responder } from "../support/upstream/broken-upstream.js";

const json = JSON.stringify({ ...alice, padding: "x".repeat(2000) });
const TEN_MEGABYTES = 10_000_000;

/** Invalid responses with HTTP 200, by their names in test titles. */
export const garble: readonly [string, (response: ServerResponse) => void][] = [
  [
    "HTML with the type of JSON",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" }).end("<h1>Please log in</h1>");
    },
  ],
  [
    "truncated gzip with an orderly end",
    (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(gzipSync(json).subarray(0, 40));
    },
  ],
  [
    "an image",
    (response) => {
      response
        .writeHead(200, { "content-type": "image/png" })
        .end(Buffer.from("89504e470d0a1a0a00ff00ff", "hex"));
    },
  ],
  [
    "a body of 10 MB",
    (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": TEN_MEGABYTES });
      response.end(Buffer.alloc(TEN_MEGABYTES, " "));
    },
  ],
  ["an endless body", pour],
];

/** 50 MB of spaces in 50 kB of gzip. */
const bomb = gzipSync(Buffer.alloc(50_000_000, " "));

/** Sends a small response that expands to 50 MB. */
export function sendBomb(response: ServerResponse): void {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  response.writeHead(200, { ...headers, "content-length": bomb.length }).end(bomb);
}

/** Executes the operation at a working upstream, and then sends another response. */
export function garbleAfter(goodUrl: string, result: (response: ServerResponse) => void): Responder {
  return async (response, { operation, body }) => {
    await carryOut(goodUrl, operation, body);
    result(response);
  };
}

/** Executes the operation at a working upstream, and sends its response. */
export function passOn(goodUrl: string): Responder {
  return async (response, { operation, body }) => {
    const text = await carryOut(goodUrl, operation, body);
    response.writeHead(200, { "content-type": "application/json" }).end(text);
  };
}

async function carryOut(goodUrl: string, operation: string, body: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(goodUrl + operation, { method: "POST", headers, body });
  return response.text();
}

/** Sends data as fast as the client reads it, until the client disconnects. */
function pour(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = Buffer.alloc(65_536, " ");
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}

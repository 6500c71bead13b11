import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { alice, type Behaviour } from "../support/upstream/broken-upstream.js";

const json = JSON.stringify({ ...alice, padding: "x".repeat(2000) });
const TEN_MEGABYTES = 10_000_000;

/** What an upstream that has changed its mind answers with 200, by what it is called in a test's title. */
export const garble: readonly [string, (response: ServerResponse) => void][] = [
  [
    "HTML that is called JSON",
    (response) => {
      response.writeHead(200, { "content-type": "application/json" }).end("<h1>Please log in</h1>");
    },
  ],
  [
    "gzip that is cut off, and ends in order",
    (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      response.end(gzipSync(json).subarray(0, 40));
    },
  ],
  [
    "a picture",
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
  ["a body without an end", pour],
];

/** 50 MB of spaces in 50 kB of gzip, whose length is told. */
const bomb = gzipSync(Buffer.alloc(50_000_000, " "));

/** A small reply that grows beyond all bounds when it is unpacked. */
export function sendBomb(response: ServerResponse): void {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  response.writeHead(200, { ...headers, "content-length": bomb.length }).end(bomb);
}

/** Carries the call out at a good upstream, and then answers something else. */
export function afterTheWork(goodUrl: string, answer: (response: ServerResponse) => void): Behaviour {
  return async (response, { operation, body }) => {
    await carryOut(goodUrl, operation, body);
    answer(response);
  };
}

/** Carries the call out at a good upstream, and tells what that answers. */
export function honestly(goodUrl: string): Behaviour {
  return async (response, { operation, body }) => {
    const text = await carryOut(goodUrl, operation, body);
    response.writeHead(200, { "content-type": "application/json" }).end(text);
  };
}

async function carryOut(goodUrl: string, operation: string, body: string): Promise<string> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(goodUrl + operation, { method: "POST", headers, body });
  return answer.text();
}

/** Sends as fast as the other side takes it, until that hangs up. */
function pour(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = Buffer.alloc(65_536, " ");
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
}

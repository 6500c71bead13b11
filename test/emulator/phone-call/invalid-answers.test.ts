import { once } from "node:events";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "@jest/globals";
import { answerWith, closeAnswerServers, startAnswerServer } from "../../support/emulator/answer-server.js";
import { closeEmulators, startClient } from "../../support/emulator/emulator-client.js";
import { until } from "../../support/until.js";

afterEach(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

const HANGUP = '[{"action":"hangup"}]';

/** Returns the reasons for rejecting a call with this answer URL. */
async function reasonsOf(url: string, answerTimeoutMs = 5000): Promise<string[]> {
  const client = await startClient({ answerTimeoutMs });
  const { status, body } = await client.dial(url);
  expect([status, body.error]).toEqual([
    422,
    "The answer URL did not return a PCMO document that the emulator can execute.",
  ]);
  expect(Object.keys(body)).toEqual(["error", "reasons"]);
  return body.reasons;
}

describe("a call whose answer URL returns an invalid response", () => {
  it.each([
    [500, "boom", 'Expected HTTP status 200, got 500 with "boom".'],
    [404, "", "Expected HTTP status 200, got 404 with an empty body."],
    [201, HANGUP, `Expected HTTP status 200, got 201 with ${JSON.stringify(HANGUP)}.`],
  ])("is rejected for status %i", async (status, text, reason) => {
    expect(await reasonsOf((await answerWith(text, status)).url)).toEqual([reason]);
  });

  it("is rejected for a redirect, which is not followed", async () => {
    const { url: other, requests } = await answerWith(HANGUP);
    const { url } = await answerWith("", 307, { location: other });
    expect(await reasonsOf(url)).toEqual([
      `Expected HTTP status 200, got 307 with an empty body. The redirect to "${other}" is not followed.`,
    ]);
    expect(requests).toEqual([]);
  });

  it("is rejected for HTML, because of its content type and its text", async () => {
    const { url } = await answerWith("<h1>Hello</h1>", 200, { "content-type": "text/html" });
    expect(await reasonsOf(url)).toEqual([
      'Expected the content type application/json, got "text/html".',
      'Expected JSON, got "<h1>Hello</h1>".',
    ]);
  });

  it("is rejected for a document with another content type, or without one", async () => {
    const { url } = await answerWith(HANGUP, 200, { "content-type": "application/jsonp" });
    expect(await reasonsOf(url)).toEqual([expect.stringContaining('got "application/jsonp"')]);
    const { url: untyped } = await startAnswerServer((_request, response) => response.end(HANGUP));
    expect(await reasonsOf(untyped)).toEqual([expect.stringContaining("got nothing")]);
  });

  it("accepts a content type with parameters, in any letter case", async () => {
    const client = await startClient();
    const { url } = await answerWith(HANGUP, 200, { "content-type": "Application/JSON; charset=utf-8" });
    expect((await client.dial(url)).status).toBe(200);
  });

  it.each([
    ["no headers", () => {}],
    ["no end", (response: { write(text: string): void }) => response.write("[")],
  ])("is rejected when the response has %s in time", async (_what, answer) => {
    const { url } = await startAnswerServer((_request, response) => answer(response));
    expect(await reasonsOf(url, 50)).toEqual([
      "The response was not complete within 50 ms. Respond faster, or increase EMULATOR_ANSWER_TIMEOUT_MS.",
    ]);
  });

  it("is rejected for a response of more than 1 MB, also when it is compressed", async () => {
    const { url } = await answerWith(`["${"x".repeat(1_000_000)}"]`);
    expect(await reasonsOf(url)).toEqual([expect.stringContaining("larger than 1000000 bytes")]);
    const { url: packed } = await startAnswerServer((_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(" ".repeat(5_000_000)));
    });
    expect(await reasonsOf(packed)).toEqual([expect.stringContaining("larger than 1000000 bytes")]);
  });

  it("is rejected when no server listens, or the server closes the connection", async () => {
    const { url } = await answerWith(HANGUP);
    await closeAnswerServers();
    expect(await reasonsOf(url)).toEqual([
      `The request failed (ECONNREFUSED). Check that an HTTP server is running at ${url}.`,
    ]);
    const { url: broken } = await startAnswerServer((request) => request.socket.destroy());
    expect(await reasonsOf(broken)).toEqual([expect.stringContaining("The request failed")]);
  });

  it("is rejected for a port that fetch blocks", async () => {
    expect(await reasonsOf("http://127.0.0.1:6000/")).toEqual([expect.stringContaining("use another port")]);
  });

  it("is rejected for a server that does not speak HTTP", async () => {
    const server = createServer((socket) => socket.end("hello\r\n\r\n")).listen(0, "127.0.0.1");
    try {
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;
      expect(await reasonsOf(`http://127.0.0.1:${port}/`)).toEqual([
        expect.stringContaining("The request failed (HPE_"),
      ]);
    } finally {
      server.close();
    }
  });

  it("aborts the request to the answer URL when the emulator closes", async () => {
    const client = await startClient({ answerTimeoutMs: 60_000 });
    let isLeft = false;
    const { url, requests } = await startAnswerServer((request) => {
      request.socket.once("close", () => {
        isLeft = true;
      });
    });
    const call = client.dial(url).catch(() => "cut");
    await until(() => requests.length === 1);
    await client.emulator.close();
    expect(await call).toBe("cut");
    await until(() => isLeft);
  });
});

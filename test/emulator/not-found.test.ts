import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { closeEmulators, type EmulatorClient, startClient } from "../support/emulator/emulator-client.js";

afterAll(closeEmulators);

describe("a request for an unknown path or with another method", () => {
  let client: EmulatorClient;

  beforeAll(async () => {
    client = await startClient();
  });

  it.each([
    ["GET", "/v1/endpoint/get_sip", "Cannot GET /v1/endpoint/get_sip"],
    ["PUT", "/v1/endpoint/add_sip", "Cannot PUT /v1/endpoint/add_sip"],
    ["POST", "/v1/endpoint/get_sip/", "Cannot POST /v1/endpoint/get_sip/"],
    ["POST", "/v1/endpoint/toString", "Cannot POST /v1/endpoint/toString"],
    ["GET", "/?secret=x", "Cannot GET /"],
    ["GET", "/v1/%zz", "Cannot GET /v1/%zz"],
    ["DELETE", "/_emulator/calls", "Cannot DELETE /_emulator/calls"],
    ["GET", "/a&b'c", "Cannot GET /a&amp;b&#39;c"],
  ])("gets HTTP 404 with an HTML page: %s %s", async (method, path, line) => {
    const { status, headers, text } = await client.send(method, path);
    expect(status).toBe(404);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(text).toContain(`<pre>${line}</pre>`);
    expect(await client.requestLog()).toEqual([]);
  });
});

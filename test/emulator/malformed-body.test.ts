import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { closeEmulators, type EmulatorClient, startClient } from "../support/emulator/emulator-client.js";

afterAll(closeEmulators);

describe("the body of a request for an operation", () => {
  const account = '{"appid":2222223,"secret":"emulator-secret","page":1}';
  let client: EmulatorClient;

  beforeAll(async () => {
    client = await startClient({ errors: "status" });
  });

  beforeEach(async () => {
    await client.reset();
  });

  it.each([
    ["broken JSON", "{", "application/json"],
    ["no body", undefined, "application/json"],
    ["null", "null", "application/json"],
    ["an array", `[${account}]`, "application/json"],
    ["a string", '"list"', "application/json"],
    ["another content type", account, "text/plain"],
    ["a content type that only starts with application/json", account, "application/json-seq"],
    ["an invalid content type", account, "json"],
    ["a form", "page=1", "application/x-www-form-urlencoded"],
    ["more than 1 MB", `{"appid":"${"1".repeat(1_100_000)}"}`, "application/json"],
  ])("is rejected: %s", async (_what, body, contentType) => {
    const { status, text } = await client.send("POST", "/v1/endpoint/list_sip", body, contentType);
    expect(status).toBe(400);
    expect(text).toBe('{"code":"cmi-400","msg":"The body must be a JSON object, sent as application/json"}');
    expect(await client.requestLog()).toEqual([expect.objectContaining({ status: 400, code: "cmi-400" })]);
  });

  it("can have a character set in its content type", async () => {
    const type = "Application/JSON; charset=utf-8";
    const { text } = await client.send("POST", "/v1/endpoint/list_sip", account, type);
    expect(JSON.parse(text).code).toBe("cmi-200");
  });
});

import { afterEach, describe, expect, it } from "@jest/globals";
import { closeEmulators, startClient } from "../support/emulator/emulator-client.js";

afterEach(closeEmulators);

const starting = { count: 4, usernames: ["alice", "bob", "carol", "dave"] };

describe("a reset", () => {
  it.each([
    ["no body", undefined],
    ["an empty object", "{}"],
  ])("restores the starting endpoints with %s, and clears the request log", async (_what, body) => {
    const client = await startClient();
    const before = (await client.request("list_sip", { page: 1 })).text;
    await client.request("remove_sip", { username: "alice" });
    await client.request("update_sip", { username: "bob", password: "made-up-1" });
    const { status, text } = await client.send("POST", "/_emulator/reset", body);
    expect([status, text]).toEqual([200, '{"count":4}']);
    expect(await client.requestLog()).toEqual([]);
    expect((await client.request("list_sip", { page: 1 })).text).toBe(before);
    expect(await client.list()).toEqual(starting);
  });

  it("accepts endpoints and fills in their missing fields", async () => {
    const client = await startClient();
    const full = {
      username: "erin",
      password: "made-up-1",
      connect_URL: "sbc-2.example",
      audio: false,
      video: false,
      type: "PSTN",
    };
    expect((await client.reset({ endpoints: [full, { username: "faye" }] })).text).toBe('{"count":2}');
    expect(await client.list()).toEqual({ count: 2, usernames: ["erin", "faye"] });
    const read = async (username: string) => JSON.parse((await client.request("get_sip", { username })).text);
    expect(await read("erin")).toEqual({ code: "cmi-200", ...full });
    expect(await read("faye")).toEqual({
      code: "cmi-200",
      username: "faye",
      password: expect.stringMatching(/^made-up-.{12}$/),
      connect_URL: "sbc.emulator.example",
      audio: true,
      video: true,
      type: "SIP",
    });
  });

  it.each([
    [0, 1, undefined],
    [3, 1, "user0003"],
    [9999, 1000, "user9999"],
    [100_000, 10_000, "user100000"],
  ])("creates %i endpoints; the last of page %i is %s", async (count, page, last) => {
    const client = await startClient();
    expect((await client.reset({ count })).text).toBe(`{"count":${count}}`);
    expect((await client.list(page)).usernames.at(-1)).toBe(last);
  });

  it.each([
    ["{", "must be JSON"],
    ["[]", "expected object"],
    ["null", "expected object"],
    ['{"count":-1}', "count"],
    ['{"count":100001}', "100000"],
    ['{"count":"3"}', "expected number"],
    ['{"count":1,"endpoints":[]}', "not both"],
    ['{"endpoints":{}}', "expected array"],
    ['{"endpoints":[{"password":"x"}]}', "endpoints.0.username"],
    ['{"endpoints":[{"username":""}]}', "endpoints.0.username"],
    ['{"endpoints":[{"username":"a","audio":"true"}]}', "endpoints.0.audio"],
    ['{"endpoints":[{"username":"a","type":"sip"}]}', "endpoints.0.type"],
    ['{"endpoints":[{"username":"a","nickname":"b"}]}', "nickname"],
    ['{"endpoints":[{"username":"a"},{"username":"a"}]}', "occurs twice"],
    ['{"usernames":[]}', "usernames"],
  ])("rejects %s, reports the problem and changes nothing", async (body, hint) => {
    const client = await startClient();
    await client.request("list_sip", { page: 1 });
    await client.fault({ kind: "garbage", operation: "add_sip" });
    const { status, headers, text } = await client.send("POST", "/_emulator/reset", body);
    expect(status).toBe(400);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(JSON.parse(text)).toEqual({ error: expect.stringContaining(hint) });
    expect(await client.requestLog()).toHaveLength(1);
    expect(await client.list()).toEqual(starting);
    expect(JSON.parse((await client.send("GET", "/_emulator/faults")).text)).toHaveLength(1);
  });
});

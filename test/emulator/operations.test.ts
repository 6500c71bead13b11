import { afterEach, describe, expect, it } from "@jest/globals";
import { closeEmulators, type EmulatorClient, startClient } from "../support/emulator/emulator-client.js";

afterEach(closeEmulators);

/** The sample responses of PIOPIY's document. */
const samples = {
  add_sip: `{
    "code": "cmi-200",
    "username": "YOUR_USERNAME",
    "password": "YOUR_PASSWORD",
    "connect_URL": "PIOPIY_SBC_URL",
    "audio": true,
    "video": true,
    "type": "SIP"
}`,
  update_sip: `{
    "code": "cmi-200",
    "username": "YOUR_USERNAME",
    "password": "YOUR_UPDATED_PASSWORD",
    "msg": "Updated successfully"
}`,
  get_sip: `{
    "code": "cmi-200",
    "username": "YOUR_USERNAME",
    "password": "YOUR_PASSWORD",
    "connect_URL": "PIOPIY_SBC_URL",
    "audio": true,
    "video": true,
    "type": "SIP"
}`,
  list_sip: `{
    "code": "cmi-200",
    "list": {
        "count": 4,
        "rows": [
            {
                "username": "YOUR_USERNAME",
                "password": "YOUR_PASSWORD"
            },
            {
                "username": "YOUR_USERNAME_1",
                "password": "YOUR_PASSWORD"
            },
            {
                "username": "YOUR_USERNAME_2",
                "password": "YOUR_PASSWORD"
            },
            {
                "username": "YOUR_USERNAME_3",
                "password": "YOUR_PASSWORD"
            }
        ]
    }
}`,
  remove_sip: `{
    "code": "cmi-200",
    "username": "YOUR_USERNAME",
    "msg": "Removed successfully"
}`,
};

const parameters = {
  add_sip: { username: "YOUR_USERNAME", password: "YOUR_PASSWORD" },
  update_sip: { username: "YOUR_USERNAME", password: "YOUR_UPDATED_PASSWORD" },
  get_sip: { username: "YOUR_USERNAME" },
  list_sip: { page: 1 },
  remove_sip: { username: "YOUR_USERNAME" },
};

/** Starts an emulator with the endpoints of the samples. */
async function startWith(usernames: string[]): Promise<EmulatorClient> {
  const client = await startClient({ sbc: "PIOPIY_SBC_URL" });
  await client.reset({ endpoints: usernames.map((username) => ({ username, password: "YOUR_PASSWORD" })) });
  return client;
}

const four = ["YOUR_USERNAME", "YOUR_USERNAME_1", "YOUR_USERNAME_2", "YOUR_USERNAME_3"];

describe("PIOPIY's operations", () => {
  it.each([
    ["add_sip", []],
    ["update_sip", four],
    ["get_sip", four],
    ["list_sip", four],
    ["remove_sip", four],
  ] as const)("%s returns the sample of the document exactly", async (operation, usernames) => {
    const client = await startWith([...usernames]);
    const { status, headers, text } = await client.request(operation, parameters[operation]);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(text).toBe(JSON.stringify(JSON.parse(samples[operation])));
  });

  it("return codes as numbers and booleans as strings with these settings", async () => {
    const client = await startClient({ codes: "number", booleans: "string" });
    const { text } = await client.request("add_sip", { username: "erin", password: "made-up-1" });
    expect(text).toBe(
      '{"code":200,"username":"erin","password":"made-up-1","connect_URL":"sbc.emulator.example",' +
        '"audio":"true","video":"true","type":"SIP"}',
    );
  });

  it("list endpoints in order of creation, which an update does not change", async () => {
    const client = await startWith(["zoe", "adam"]);
    await client.request("add_sip", { username: "mia", password: "made-up-1" });
    await client.request("update_sip", { username: "zoe", password: "made-up-2" });
    await client.request("remove_sip", { username: "adam" });
    await client.request("add_sip", { username: "adam", password: "made-up-3" });
    expect(await client.list()).toEqual({ count: 3, usernames: ["zoe", "mia", "adam"] });
  });

  it.each([
    [0, 1, 0, undefined],
    [1, 1, 1, "user0001"],
    [10, 1, 10, "user0001"],
    [10, 2, 0, undefined],
    [11, 1, 10, "user0001"],
    [11, 2, 1, "user0011"],
    [25, 3, 5, "user0021"],
    [25, 4, 0, undefined],
    [25, 1_000_000, 0, undefined],
  ])("list %i endpoints: page %i has %i rows and starts with %s", async (count, page, rows, first) => {
    const client = await startClient();
    await client.reset({ count });
    const listed = await client.list(page);
    expect(listed.count).toBe(count);
    expect(listed.usernames).toHaveLength(rows);
    expect(listed.usernames[0]).toBe(first);
  });

  it.each([
    ["Alice", "alice"],
    [" alice", "alice"],
    ["__proto__", "constructor"],
    ["电话 <a@b>/\n", "?"],
  ])("accept the username %j and do not change it", async (username, other) => {
    const client = await startWith([other]);
    await client.request("add_sip", { username, password: "made-up-1" });
    expect(await client.list()).toEqual({ count: 2, usernames: [other, username] });
    expect(JSON.parse((await client.request("get_sip", { username })).text).password).toBe("made-up-1");
    await client.request("remove_sip", { username });
    expect(await client.list()).toEqual({ count: 1, usernames: [other] });
  });
});

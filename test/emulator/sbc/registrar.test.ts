import { afterEach, expect, it } from "@jest/globals";
import { closeAnswerServers, startAnswerServer } from "../../support/emulator/answer-server.js";
import { closeEmulators, type EmulatorClient, startClient } from "../../support/emulator/emulator-client.js";
import {
  closePhones,
  credentials,
  type Line,
  type Message,
  RawPhone,
  token,
} from "../../support/sip/raw-phone.js";
import { until } from "../../support/until.js";

const ALICE = "made-up-Lantern-27";
const BOB = "made-up-Harbor-58";

afterEach(async () => {
  closePhones();
  await closeEmulators();
});

async function start(transport: Line["transport"] = "ws", settings = {}) {
  const client = await startClient({ sipPort: 0, ...settings });
  const { origin, sipAddress = "" } = client.emulator;
  const line: Line = { transport, address: transport === "ws" ? new URL(origin).host : sipAddress };
  return { client, line, phone: await RawPhone.connect(line) };
}

async function phonesOf(
  client: EmulatorClient,
): Promise<{ username: string; transport: string; expiresAt: string }[]> {
  return JSON.parse((await client.send("GET", "/_emulator/phones")).text);
}

async function usernames(client: EmulatorClient): Promise<string[]> {
  return (await phonesOf(client)).map(({ username }) => username);
}

/** Returns the seconds after which the contacts in a response expire. */
function seconds(response: Message): number[] {
  return response.all("Contact").map((contact) => Number(/;expires=(\d+)/.exec(contact)?.[1]));
}

it.each([
  "ws",
  "udp",
  "tcp",
] as const)("registers, renews, lists and removes a phone over %s", async (transport) => {
  const { client, phone } = await start(transport);
  expect(await phonesOf(client)).toEqual([]);
  const callId = token();
  const registered = await phone.register("alice", ALICE, { "Call-ID": callId, Expires: "600" });
  expect(registered).toMatchObject({ status: 200 });
  expect(registered.all("Contact")).toEqual([
    expect.stringMatching(/^<sip:alice@.*transport=.*>;expires=(600|599)$/),
  ]);

  const [listed] = await phonesOf(client);
  expect(listed).toEqual({ username: "alice", transport, expiresAt: expect.any(String) });
  expect(Math.abs(Date.parse(listed?.expiresAt ?? "") - Date.now() - 600_000)).toBeLessThan(300_000);

  const header = `<${phone.contact("alice")}>;expires=300`;
  const renewed = await phone.register(
    "alice",
    ALICE,
    { "Call-ID": callId, Contact: header, Expires: "600" },
    3,
  );
  expect(seconds(renewed)).toEqual([expect.any(Number)]);
  expect(seconds(renewed)[0]).toBeLessThanOrEqual(300);
  const query = await phone.register("alice", ALICE, { Contact: [] });
  expect(query.all("Contact")).toHaveLength(1);

  const removed = await phone.register("alice", ALICE, { "Call-ID": callId, Expires: "0" }, 5);
  expect(removed).toMatchObject({ status: 200 });
  expect(removed.all("Contact")).toEqual([]);
  expect(await phonesOf(client)).toEqual([]);
});

it("removes all phones of an endpoint for the contact *, and only with Expires: 0", async () => {
  const { client, phone } = await start();
  await phone.register("alice", ALICE, { Contact: ["<sip:a@x.invalid>", "<sip:b@x.invalid>;expires=99999"] });
  await phone.register("bob", BOB);
  expect(await usernames(client)).toEqual(["alice", "alice", "bob"]);
  expect((await phone.register("alice", ALICE, { Contact: "*" })).status).toBe(400);
  expect(
    (await phone.register("alice", ALICE, { Contact: ["*", "<sip:a@x.invalid>"], Expires: "0" })).status,
  ).toBe(400);
  expect(await usernames(client)).toEqual(["alice", "alice", "bob"]);
  expect((await phone.register("alice", ALICE, { Contact: "*", Expires: "0" })).status).toBe(200);
  expect(await usernames(client)).toEqual(["bob"]);
});

it("registers for at most an hour, and forgets a phone when its registration expires", async () => {
  const { client, phone } = await start();
  const long = await phone.register("alice", ALICE, { Expires: "86400" });
  expect(seconds(long)[0]).toBeLessThanOrEqual(3600);
  expect(seconds(await phone.register("bob", BOB, { Expires: "soon" }))[0]).toBeGreaterThan(3000);
  expect((await phone.register("bob", BOB, { Expires: "1" })).status).toBe(200);
  await until(async () => (await usernames(client)).join() === "alice");
});

it("refuses an eleventh phone of an endpoint, and renews one of the ten", async () => {
  const { client, phone } = await start();
  const contacts = (count: number) =>
    Array.from({ length: count }, (_, index) => `<sip:p${index}@x.invalid>`);
  expect((await phone.register("alice", ALICE, { Contact: contacts(11) })).status).toBe(503);
  expect(await usernames(client)).toEqual([]);
  expect((await phone.register("alice", ALICE, { Contact: contacts(10) })).status).toBe(200);
  const refused = await phone.register("alice", ALICE, { Contact: "<sip:p10@x.invalid>" });
  expect(refused.text).toMatch(/^SIP\/2\.0 503 Too Many Registered Contacts\r\n/);
  expect((await phone.register("alice", ALICE, { Contact: contacts(1) })).status).toBe(200);
  expect((await phone.register("bob", BOB)).status).toBe(200);
  expect(await usernames(client)).toHaveLength(11);
});

it("rejects an older request of the same phone", async () => {
  const { phone } = await start();
  const callId = token();
  await phone.register("alice", ALICE, { "Call-ID": callId }, 10);
  const older = await phone.register("alice", ALICE, { "Call-ID": callId }, 4);
  expect(older.text).toMatch(/^SIP\/2\.0 500 CSeq Must Increase\r\n/);
});

it("forgets the phones of a WebSocket or TCP connection that is closed, but not those that use another one now", async () => {
  const { client, line, phone } = await start("tcp");
  const contacts = { Contact: ["<sip:a@x.invalid>", "<sip:b@x.invalid>"] };
  await phone.register("alice", ALICE, contacts);
  const other = await RawPhone.connect({ ...line, transport: "tcp" });
  await other.register("alice", ALICE, { Contact: "<sip:b@x.invalid>" });
  const browser = await RawPhone.connect({ transport: "ws", address: new URL(client.emulator.origin).host });
  await browser.register("bob", BOB);
  phone.close();
  browser.close();
  await until(async () => (await usernames(client)).length === 1);
  expect(await usernames(client)).toEqual(["alice"]);
});

it("reads passwords at every request, and forgets the phones of a removed endpoint at once", async () => {
  const { client, phone } = await start();
  await phone.register("alice", ALICE);
  await phone.register("bob", BOB);
  await client.request("update_sip", { username: "alice", password: "made-up-Meadow-91" });
  expect((await phone.register("alice", ALICE)).status).toBe(401);
  expect((await phone.register("alice", "made-up-Meadow-91")).status).toBe(200);
  await client.request("remove_sip", { username: "alice" });
  expect(await usernames(client)).toEqual(["bob"]);
  await client.request("add_sip", { username: "alice", password: ALICE });
  expect(await usernames(client)).toEqual(["bob"]);
});

it("closes the WebSocket of a removed endpoint, unless it has another endpoint or a call", async () => {
  const { client, line, phone: shared } = await start();
  const [alone, talking] = [await RawPhone.connect(line), await RawPhone.connect(line)];
  for (const [index, phone] of [shared, alone, talking].entries()) {
    await phone.register("alice", ALICE, { Contact: `<sip:p${index}@x.invalid>` });
  }
  await shared.register("bob", BOB);
  const { url } = await startAnswerServer(() => {});
  await client.send("POST", "/_emulator/numbers", JSON.stringify({ number: 914471000000, answerUrl: url }));
  const From = `<sip:919999900000@x>;tag=${token()}`;
  const headers = { From, Contact: `<${talking.contact("alice")}>` };
  talking.sendRaw(talking.request("INVITE", "sip:914471000000@x", headers));
  await talking.sees(({ status }) => status === 100);
  await client.request("remove_sip", { username: "alice" });
  await until(() => alone.isClosed);
  for (const phone of [shared, talking]) {
    expect((await phone.ask(phone.request("OPTIONS", "sip:x"))).status).toBe(200);
  }
  expect(await usernames(client)).toEqual(["bob"]);
  await closeAnswerServers();
});

it.each(["Jo Ann", "é€", "50%", "a%41", 'q"\\;@'])("registers the endpoint %s", async (username) => {
  const { client, phone } = await start();
  await client.reset({ endpoints: [{ username, password: ALICE }] });
  const registered = await phone.register(username, ALICE);
  expect(registered.status).toBe(200);
  expect(registered.all("Contact")[0]).toContain(`<sip:${encodeURIComponent(username)}@`);
  expect(await usernames(client)).toEqual([username]);
});

it("accepts a digest without qop, and asks to repeat a right password with another nonce", async () => {
  const { client, phone } = await start();
  const uri = "sip:alice@piopiy.example";
  const ask = (header: string | undefined, method = "REGISTER") =>
    phone.ask(
      phone.request(method, uri, {
        Contact: `<${phone.contact("alice")}>`,
        ...(header === undefined ? {} : { Authorization: header }),
      }),
    );
  const challenge = await ask(undefined);
  expect(challenge.all("WWW-Authenticate")[0]).not.toContain("stale");
  const right = { username: "alice", password: ALICE, method: "REGISTER", uri };
  expect((await ask(credentials(challenge, right, undefined))).status).toBe(200);
  const other = await startClient();
  const foreign = await RawPhone.connect({ transport: "ws", address: new URL(other.emulator.origin).host });
  const foreignChallenge = await foreign.ask(foreign.request("REGISTER", uri));
  const stale = await ask(credentials(foreignChallenge, right));
  expect(stale.status).toBe(401);
  expect(stale.all("WWW-Authenticate")[0]).toContain("stale=true");
  for (const wrong of [
    { password: BOB },
    { username: "nobody" },
    { method: "INVITE" },
    { uri: "sip:bob@x" },
  ]) {
    const forged = credentials(challenge, { ...right, ...wrong }).replace(/uri="[^"]*"/, `uri="${uri}"`);
    const refused = await ask(forged);
    expect(refused.status).toBe(401);
    expect(refused.all("WWW-Authenticate")[0]).not.toContain("stale");
  }
  // The password of bob does not register alice.
  const bob = credentials(challenge, { ...right, username: "bob", password: BOB });
  expect((await ask(bob)).text).toMatch(/^SIP\/2\.0 403 To Is Not the Authenticated Endpoint\r\n/);
  expect(await usernames(client)).toEqual(["alice"]);
});

it("responds with 401 to 30 wrong passwords, then with 403 and the seconds to wait, but only to this address", async () => {
  const { client, line, phone } = await start("tcp");
  for (let index = 0; index < 30; index++) {
    expect((await phone.register("alice", "made-up-wrong")).status).toBe(401);
  }
  const refused = await phone.register("alice", ALICE);
  expect(refused.text).toMatch(/^SIP\/2\.0 403 Too Many Failed Authentications\r\n/);
  const wait = Number(refused.all("Retry-After")[0]);
  expect(wait).toBeGreaterThanOrEqual(1);
  expect(wait).toBeLessThanOrEqual(60);
  expect(await usernames(client)).toEqual([]);
  // The whole network 127.0.0.0/8 is loopback.
  const other = await RawPhone.connect({ ...line, localAddress: "127.0.0.2" });
  expect((await other.register("alice", ALICE)).status).toBe(200);
});

it("refuses a request that requires an extension with 420", async () => {
  const { phone } = await start("udp");
  for (const method of ["OPTIONS", "REGISTER", "INVITE", "BYE"]) {
    const refused = await phone.ask(
      phone.request(method, "sip:x", { Require: ["100rel, made-up", "other"] }),
    );
    expect([refused.status, ...refused.all("Unsupported")]).toEqual([420, "100rel, made-up, other"]);
  }
  expect((await phone.ask(phone.request("MESSAGE", "sip:x", { Require: "made-up" }))).status).toBe(405);
});

it("accepts requests of different methods with the same Call-ID, From tag and number", async () => {
  const { phone } = await start("udp");
  const headers = { From: "<sip:alice@x>;tag=1", "Call-ID": token(), Contact: "<sip:alice@x>" };
  expect((await phone.ask(phone.request("REGISTER", "sip:x", headers))).status).toBe(401);
  expect((await phone.ask(phone.request("REGISTER", "sip:x", headers))).status).toBe(482);
  expect((await phone.ask(phone.request("INVITE", "sip:bob@x", headers))).status).toBe(407);
});

it("offers only the methods that it supports", async () => {
  const { phone } = await start("udp");
  const options = await phone.ask(phone.request("OPTIONS", "sip:127.0.0.1"));
  expect(options.status).toBe(200);
  expect(options.all("Allow")).toEqual(["INVITE,ACK,CANCEL,BYE,INFO,OPTIONS,REGISTER"]);
  for (const method of ["MESSAGE", "SUBSCRIBE", "REFER", "UPDATE", "PUBLISH", "MADE"]) {
    const refused = await phone.ask(phone.request(method, "sip:bob@127.0.0.1"));
    expect(refused.status).toBe(405);
    expect(refused.all("Allow")).toEqual(options.all("Allow"));
  }
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { answerDocument, closeAnswerServers } from "../../support/emulator/answer-server.js";
import { closeEmulators, type EmulatorClient, startClient } from "../../support/emulator/emulator-client.js";
import { description } from "../../support/sip/js-sip-phone.js";
import { closePhones, type Message, RawPhone, token } from "../../support/sip/raw-phone.js";
import { until } from "../../support/until.js";

const NUMBER = 914471000000;
const AUDIO = description(["audio"]);
const sdpType = { "Content-Type": "application/sdp" };

let client: EmulatorClient;
beforeAll(async () => {
  client = await startClient({ sipPort: 0 });
});
beforeEach(() => client.reset({}));
afterEach(closePhones);
afterAll(async () => {
  await closeEmulators();
  await closeAnswerServers();
});

const passwords = { alice: "made-up-Lantern-27", bob: "made-up-Harbor-58" };

/** A phone that sends what JsSIP does not. Its messages have its own tag. */
class Phone {
  readonly tag = token();
  cseq = 1;
  /** The message that the other messages of the dialog refer to: the INVITE of a callee, the 200 of a caller. */
  dialog: Message | undefined;

  constructor(readonly raw: RawPhone) {}

  static async start(registered?: keyof typeof passwords): Promise<Phone> {
    const address = client.emulator.origin.replace("http://", "");
    const raw = await RawPhone.connect({ transport: "ws", address });
    if (registered) expect((await raw.register(registered, passwords[registered])).status).toBe(200);
    return new Phone(raw);
  }

  /** Starts alice and bob on one TCP connection, on which several messages can arrive at once. */
  static async startBoth(): Promise<Phone> {
    const { sipAddress = "" } = client.emulator;
    const raw = await RawPhone.connect({ transport: "tcp", address: sipAddress });
    for (const [username, password] of Object.entries(passwords)) {
      expect((await raw.register(username, password)).status).toBe(200);
    }
    return new Phone(raw);
  }

  /** Sends an INVITE to the number. Returns its text. */
  invite(body: string, headers: Record<string, string | readonly string[]> = {}): string {
    const text = this.raw.request(
      "INVITE",
      `sip:${NUMBER}@piopiy.example`,
      {
        From: `<sip:919999900000@piopiy.example>;tag=${this.tag}`,
        Contact: `<${this.raw.contact("919999900000")}>`,
        ...(body !== "" && sdpType),
        ...headers,
      },
      body,
    );
    this.raw.sendRaw(text);
    return text;
  }

  /** Sends CANCEL or ACK for an INVITE. */
  follow(invite: string, method: "CANCEL" | "ACK"): void {
    this.raw.sendRaw(this.following(invite, method));
  }

  following(invite: string, method: "CANCEL" | "ACK"): string {
    const [head = ""] = invite.split("\r\n\r\n");
    const text = head
      .replace(/^INVITE/, method)
      .replace(/^CSeq: (\d+) INVITE/m, `CSeq: $1 ${method}`)
      .replace(/^Content-(Type|Length):.*\r\n/gim, "");
    return `${text.replace(/\r\nContent-Length:.*$/, "")}\r\nContent-Length: 0\r\n\r\n`;
  }

  /** Waits for the message with this number that has this method or status. */
  async sees(kind: string | number, index = 0): Promise<Message> {
    const matching = () =>
      this.raw.received.filter(({ method, status, all }) =>
        typeof kind === "string"
          ? method === kind
          : status === kind && !/REGISTER/.test(all("CSeq")[0] ?? ""),
      );
    await until(() => matching().length > index);
    return matching()[index] as Message;
  }

  respond(request: Message, status: number, headers: Record<string, string> = {}, body = ""): void {
    this.raw.sendRaw(this.response(request, status, headers, body));
  }

  response(request: Message, status: number, headers: Record<string, string> = {}, body = ""): string {
    const [to = ""] = request.all("To");
    const lines = [
      `SIP/2.0 ${status} Made Up`,
      ...request.all("Via").map((via) => `Via: ${via}`),
      `From: ${request.all("From")[0]}`,
      `To: ${to}${to.includes(";tag=") ? "" : `;tag=${this.tag}`}`,
      `Call-ID: ${request.callId}`,
      `CSeq: ${request.all("CSeq")[0]}`,
      ...Object.entries({ ...(body !== "" && sdpType), ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      ),
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    return `${lines.join("\r\n")}\r\n\r\n${body}`;
  }

  /** Answers an INVITE. */
  answer(invite: Message, body = AUDIO): void {
    this.dialog = invite;
    this.raw.sendRaw(this.answerTo(invite, body));
  }

  answerTo(invite: Message, body = AUDIO): string {
    return this.response(invite, 200, { Contact: `<${this.raw.contact("phone")}>` }, body);
  }

  /** Sends a request in the dialog, and returns its text. */
  send(method: string, body = "", headers: Record<string, string> = {}): string {
    const dialog = this.dialog as Message;
    const [from, to] = [dialog.all("From")[0] ?? "", dialog.all("To")[0] ?? ""];
    // The callee's requests go the other way.
    const isCallee = dialog.method === "INVITE";
    this.cseq += method === "ACK" ? 0 : 1;
    const target = /<(.*)>/.exec(dialog.all("Contact")[0] ?? "")?.[1] ?? "";
    const text = this.raw.request(
      method,
      target,
      {
        From: isCallee ? `${to};tag=${this.tag}` : from,
        To: isCallee ? from : to,
        "Call-ID": dialog.callId,
        CSeq: `${this.cseq} ${method}`,
        Contact: `<${this.raw.contact("phone")}>`,
        ...(body !== "" && sdpType),
        ...headers,
      },
      body,
    );
    this.raw.sendRaw(text);
    return text;
  }

  /** Waits for the final response to a request of the dialog. */
  async finalOf(method: string): Promise<number> {
    const matching = () =>
      this.raw.received.find(
        ({ status, all }) => status >= 200 && all("CSeq")[0] === `${this.cseq} ${method}`,
      );
    await until(() => matching() !== undefined);
    return matching()?.status ?? 0;
  }
}

async function assign(...usernames: string[]): Promise<void> {
  const call = usernames.map((user) => ({ type: "sip", user }));
  const { url } = await answerDocument([{ action: "connect", ring_type: "group", call_type: "audio", call }]);
  await client.send("POST", "/_emulator/numbers", JSON.stringify({ number: NUMBER, answerUrl: url }));
}

async function course(): Promise<string[]> {
  const calls = async () => JSON.parse((await client.send("GET", "/_emulator/live-calls")).text);
  await until(async () => (await calls())[0]?.state === "ended");
  const [{ timeline }] = await calls();
  return timeline.map(({ at, ...event }: { at: number }) => Object.values(event).join(" "));
}

/** Connects a caller with alice. */
async function talk() {
  const [alice, caller] = await Promise.all([Phone.start("alice"), Phone.start()]);
  await assign("alice");
  caller.invite(AUDIO);
  alice.answer(await alice.sees("INVITE"));
  caller.dialog = await caller.sees(200);
  caller.send("ACK");
  await alice.sees("ACK");
  return { alice, caller };
}

const portsOf = ({ text }: Message) => [...text.matchAll(/^m=(\w+) (\d+)/gm)].map(([line]) => line);

describe("a call", () => {
  it("gets ACK and BYE when the phone answers after CANCEL", async () => {
    const [alice, caller] = await Promise.all([Phone.start("alice"), Phone.start()]);
    await assign("alice");
    const invite = caller.invite(AUDIO);
    const ringing = await alice.sees("INVITE");
    // Without Contact, as some phones send it.
    alice.respond(ringing, 180);
    await caller.sees(180);
    caller.follow(invite, "CANCEL");
    expect((await caller.sees(487)).callId).toBe((await caller.sees(100)).callId);
    expect((await alice.sees("CANCEL")).all("Reason")).toEqual([]);
    alice.answer(ringing);
    await alice.sees("ACK");
    await alice.sees("BYE");
    expect(await course()).toEqual(["rings alice", "stops ringing alice", "ends caller hung up"]);
  });

  it("connects one of two phones that answer at once, and hangs up the other", async () => {
    const [alice, bob, caller] = await Promise.all([Phone.start("alice"), Phone.start("bob"), Phone.start()]);
    await assign("alice", "bob");
    caller.invite(AUDIO);
    const [one, other] = await Promise.all([alice.sees("INVITE"), bob.sees("INVITE")]);
    alice.answer(one);
    bob.answer(other);
    caller.dialog = await caller.sees(200);
    caller.send("ACK");
    await Promise.all([alice.sees("ACK"), bob.sees("ACK")]);
    await until(() => [alice, bob].some(({ raw }) => raw.received.some(({ method }) => method === "BYE")));
    const winner = alice.raw.received.some(({ method }) => method === "BYE") ? "bob" : "alice";
    caller.send("BYE");
    await Promise.all([alice.sees("BYE"), bob.sees("BYE")]);
    expect(await course()).toEqual([`answers ${winner}`, "ends caller hung up"]);
  });

  it("passes a late offer and its answer without video, and sends no BYE before the caller's ACK", async () => {
    const [alice, caller] = await Promise.all([Phone.start("alice"), Phone.start()]);
    await assign("alice");
    caller.invite("");
    const invite = await alice.sees("INVITE");
    expect(portsOf(invite)).toEqual([]);
    alice.answer(invite, description(["audio", "video"]));
    caller.dialog = await caller.sees(200);
    expect(portsOf(caller.dialog)).toEqual(["m=audio 9", "m=video 0"]);
    // The ACK for alice has the answer of the caller, so it must wait.
    expect(alice.raw.received.map(({ method }) => method)).not.toContain("ACK");
    caller.send("ACK", description(["audio", "video"]));
    expect(portsOf(await alice.sees("ACK"))).toEqual(["m=audio 9", "m=video 0"]);
    alice.send("BYE");
    await caller.sees("BYE");

    // A caller that has not sent its ACK yet.
    caller.cseq = 1;
    caller.invite(AUDIO, { "Call-ID": "made-up-second-call" });
    alice.cseq = 1;
    alice.answer(await alice.sees("INVITE", 1));
    caller.dialog = await caller.sees(200, 1);
    await alice.sees("ACK", 1);
    alice.send("BYE");
    expect(await alice.finalOf("BYE")).toBe(200);
    expect(await course()).toEqual(["answers alice", "hangs up alice", "ends endpoint hung up"]);
    expect(caller.raw.received.filter(({ method }) => method === "BYE")).toHaveLength(1);
    caller.send("ACK");
    await caller.sees("BYE", 1);
  });

  it("is hung up at a phone whose answer arrives together with another answer or with CANCEL", async () => {
    const [both, caller] = await Promise.all([Phone.startBoth(), Phone.start()]);
    await assign("alice", "bob");
    caller.invite(AUDIO);
    const [one, other] = [await both.sees("INVITE"), await both.sees("INVITE", 1)];
    both.raw.sendRaw(both.answerTo(one) + both.answerTo(other));
    caller.dialog = await caller.sees(200);
    caller.send("ACK");
    await both.sees("ACK", 1);
    expect((await both.sees("BYE")).callId).toBe(other.callId);
    caller.send("BYE");
    expect((await both.sees("BYE", 1)).callId).toBe(one.callId);

    await assign("alice");
    const invite = both.invite(AUDIO);
    // After the INVITEs of the first call; the phone does not receive its own.
    const ringing = await both.sees("INVITE", 2);
    both.respond(ringing, 180);
    await both.sees(180);
    both.raw.sendRaw(both.following(invite, "CANCEL") + both.answerTo(ringing));
    await both.sees("ACK", 2);
    expect((await both.sees("BYE", 2)).callId).toBe(ringing.callId);
    expect(await course()).toEqual(["rings alice", "stops ringing alice", "ends caller hung up"]);
  });

  it("is hung up at its phone when the answer is one event too many", async () => {
    const [alice, caller] = await Promise.all([Phone.start("alice"), Phone.start()]);
    const speak = { action: "speak", text: "Please wait." };
    const call = [{ type: "sip", user: "alice" }];
    const { url } = await answerDocument([...Array(9999).fill(speak), { action: "connect", call }]);
    await client.send("POST", "/_emulator/numbers", JSON.stringify({ number: NUMBER, answerUrl: url }));
    caller.invite(AUDIO);
    const invite = await alice.sees("INVITE");
    alice.respond(invite, 180);
    await caller.sees(180);
    alice.answer(invite);
    await Promise.all([alice.sees("ACK"), alice.sees("BYE"), caller.sees(500)]);
  });

  it("ends when the caller sends BYE instead of CANCEL", async () => {
    const [alice, caller] = await Promise.all([Phone.start("alice"), Phone.start()]);
    await assign("alice");
    caller.invite(AUDIO);
    alice.respond(await alice.sees("INVITE"), 183, { Contact: `<${alice.raw.contact("alice")}>` }, AUDIO);
    caller.dialog = await caller.sees(180);
    expect(portsOf(caller.dialog)).toEqual([]);
    caller.send("BYE");
    expect(await caller.finalOf("BYE")).toBe(200);
    await Promise.all([caller.sees(487), alice.sees("CANCEL")]);
    expect(await course()).toEqual(["rings alice", "stops ringing alice", "ends caller hung up"]);
  });

  it("is not connected to a phone that answers without a session description", async () => {
    const [alice, caller] = await Promise.all([Phone.start("alice"), Phone.start()]);
    await assign("alice");
    caller.invite(AUDIO);
    alice.answer(await alice.sees("INVITE"), "");
    await alice.sees("ACK");
    await alice.sees("BYE");
    await caller.sees(480);
    expect(await course()).toEqual(["cannot take this call alice", "nobody answers", "ends end of document"]);
  });

  it("is rejected with a body without content type", async () => {
    const caller = await Phone.start();
    caller.invite(AUDIO, { "Content-Type": [] });
    await caller.sees(400);
  });
});

describe("a phone in a call", () => {
  it("gets the rejection of its re-INVITE, and 491 when both send one", async () => {
    const { alice, caller } = await talk();
    caller.send("INVITE", AUDIO);
    const second = await alice.sees("INVITE", 1);
    expect(second.all("Contact")).toHaveLength(1);
    alice.respond(second, 488);
    expect(await caller.finalOf("INVITE")).toBe(488);
    caller.follow(caller.raw.request("INVITE", "sip:made-up.invalid"), "ACK");

    caller.send("INVITE", AUDIO);
    const third = await alice.sees("INVITE", 2);
    alice.send("INVITE", AUDIO);
    expect(await alice.finalOf("INVITE")).toBe(491);
    alice.respond(third, 491);
    expect(await caller.finalOf("INVITE")).toBe(491);

    // Without offer: the answer of the other phone is the offer, and the ACK has the answer.
    caller.send("INVITE");
    const fourth = await alice.sees("INVITE", 3);
    expect(portsOf(fourth)).toEqual([]);
    alice.respond(
      fourth,
      200,
      { Contact: `<${alice.raw.contact("alice")}>` },
      description(["audio", "video"]),
    );
    expect(await caller.finalOf("INVITE")).toBe(200);
    caller.send("ACK", description(["audio", "video"]));
    expect(portsOf(await alice.sees("ACK", 3))).toEqual(["m=audio 9", "m=video 0"]);
    caller.send("BYE");
    await alice.sees("BYE");
  });

  it("cancels its re-INVITE", async () => {
    const { alice, caller } = await talk();
    const invite = caller.send("INVITE", AUDIO);
    const relayed = await alice.sees("INVITE", 1);
    caller.follow(invite, "CANCEL");
    expect(await caller.finalOf("INVITE")).toBe(487);
    caller.follow(invite, "ACK");
    alice.respond(relayed, 100);
    alice.respond(await alice.sees("CANCEL"), 200);
    alice.respond(relayed, 487);
    await alice.sees("ACK", 1);
    alice.send("INVITE", AUDIO);
    caller.answer(await caller.sees("INVITE"));
    expect(await alice.finalOf("INVITE")).toBe(200);
  });

  it("gets a response to its INFO when the other phone disconnects", async () => {
    const { alice, caller } = await talk();
    caller.send("INFO");
    await alice.sees("INFO");
    alice.raw.close();
    expect(await caller.finalOf("INFO")).toBe(487);
    await caller.sees("BYE");
    expect(await course()).toEqual(["answers alice", "ends connection lost"]);
  });

  it("gets 405 for methods that the SBC does not relay, and the other phone gets nothing", async () => {
    const { alice, caller } = await talk();
    for (const phone of [alice, caller]) {
      for (const method of ["UPDATE", "MESSAGE", "REFER"]) {
        phone.send(method, "", { "Refer-To": "<sip:bob@piopiy.example>" });
        expect([method, await phone.finalOf(method)]).toEqual([method, 405]);
      }
    }
    alice.send("INFO", "", { "Info-Package": "made-up" });
    const info = await caller.sees("INFO");
    expect(info.all("Info-Package")).toEqual(["made-up"]);
    caller.respond(info, 469);
    expect(await alice.finalOf("INFO")).toBe(469);
    caller.send("BYE");
    await alice.sees("BYE");
    expect(alice.raw.received.filter(({ method }) => /UPDATE|MESSAGE|REFER/.test(method))).toEqual([]);
    expect(await course()).toEqual(["answers alice", "ends caller hung up"]);
  });
});

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { WebSocket } from "ws";
import { handleUpgrades } from "../../../src/emulator/upgrades.js";
import { closeEmulators, type EmulatorClient, startClient } from "../../support/emulator/emulator-client.js";
import { closePhones, type Line, RawPhone } from "../../support/sip/raw-phone.js";
import { until } from "../../support/until.js";

afterEach(async () => {
  closePhones();
  await closeEmulators();
});

const transports = ["ws", "udp", "tcp"] as const;

async function start(settings = {}) {
  const client = await startClient({ sipPort: 0, ...settings });
  const { origin, sipAddress = "" } = client.emulator;
  const host = new URL(origin).host;
  const lineOf = (transport: Line["transport"]): Line => ({
    transport,
    address: transport === "ws" ? host : sipAddress,
  });
  return {
    client,
    host,
    sipAddress,
    lineOf,
    connect: (transport: Line["transport"]) => RawPhone.connect(lineOf(transport)),
  };
}

/** Sends a text to the HTTP port and returns a function that waits for a response that matches. */
function http(host: string, text: string) {
  const socket = connect(Number(host.split(":")[1]), "127.0.0.1");
  let response = "";
  let isClosed = false;
  socket.on("data", (data) => {
    response += data;
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
  });
  socket.write(text);
  return {
    send: (more: string) => socket.write(more),
    sees: async (pattern: RegExp) => {
      await until(() => pattern.test(response) || isClosed);
      expect(response).toMatch(pattern);
    },
    closes: () => until(() => isClosed),
  };
}

describe("a WebSocket", () => {
  it("is accepted from pages of loopback hosts and of allowed origins, at any path", async () => {
    const { lineOf } = await start({ allowedOrigins: ["https://phones.example"] });
    for (const origin of [
      "http://localhost:3000",
      "https://127.0.0.2",
      "http://[::1]:1",
      "https://phones.example",
    ]) {
      const phone = await RawPhone.connect(lineOf("ws"), { origin });
      expect((await phone.ask(phone.request("OPTIONS", "sip:x"))).status).toBe(200);
    }
    for (const origin of [
      "https://pages.example",
      "http://phones.example",
      "http://localhost.pages.example",
      "http://127.0.0.1.pages.example",
      "file://localhost",
      "null",
    ]) {
      await expect(RawPhone.connect(lineOf("ws"), { origin })).rejects.toThrow("HTTP 403");
    }
  });

  it("is accepted from pages of the emulator itself, at all of its hosts", async () => {
    const { lineOf, host } = await start({ allowedHosts: ["phones.example"] });
    const port = host.split(":")[1];
    const connect = (origin: string, name: string) =>
      RawPhone.connect(lineOf("ws"), { origin, host: `${name}:${port}` });
    for (const scheme of ["http", "https"]) {
      await connect(`${scheme}://phones.example:${port}`, "phones.example");
    }
    for (const [origin, name] of [
      [`http://pages.example:${port}`, "pages.example"],
      ["http://phones.example:1", "phones.example"],
      [`http://pages.example:${port}`, "phones.example"],
      [`phones.example:${port}`, "pages.example"],
    ] as const) {
      await expect(connect(origin, name)).rejects.toThrow("HTTP 403");
    }
  });

  it("is refused without the subprotocol sip", async () => {
    const { host } = await start();
    const socket = new WebSocket(`ws://${host}/`, "chat");
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("400");
  });

  it("does not change requests with other Upgrade headers", async () => {
    const { host } = await start();
    const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n";
    const body = JSON.stringify({ endpoints: [{ username: "erin" }, { username: "frank" }] });
    const post = `POST /_emulator/reset HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n${upgrade}Content-Length: ${body.length}\r\n\r\n`;
    const connection = http(host, post + body.slice(0, 5));
    connection.send(body.slice(5));
    await connection.sees(/^HTTP\/1\.1 200 OK[\s\S]*\{"count":2\}$/);
    connection.send(`GET /_emulator/phones HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`);
    await connection.sees(/\[\]$/);
    connection.send(`GET /_emulator/faults HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await connection.sees(/\[\][\s\S]*\[\]$/);
  });
});

describe.each(transports)("over %s", (transport) => {
  it("responds to a keep-alive, and to the address that a request comes from", async () => {
    const phone = await (await start()).connect(transport);
    phone.sendRaw("\r\n\r\n");
    await phone.sees(({ text }) => text === "\r\n");
    const Via = `SIP/2.0/${transport.toUpperCase()} 192.0.2.1:5060;rport;branch=z9hG4bK1`;
    const response = await phone.ask(
      phone.request("OPTIONS", "sip:x", { Via: [Via, "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK0"] }),
    );
    expect(response.all("Via")).toEqual([
      expect.stringMatching(
        /^SIP\/2\.0\/\w+ 192\.0\.2\.1:5060;received=127\.0\.0\.1;rport=\d+;branch=z9hG4bK1$/,
      ),
      "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK0",
    ]);
    if (phone.port !== 0) expect(response.all("Via")[0]).toContain(`;rport=${phone.port};`);
    for (const [host, received] of [
      ["192.0.2.1", ";received=127.0.0.1"],
      ["127.0.0.1", ""],
    ]) {
      const sent = `SIP/2.0/${transport.toUpperCase()} ${host}:5060;branch=z9hG4bK${host}`;
      const { all } = await phone.ask(phone.request("OPTIONS", "sip:x", { Via: sent }));
      expect(all("Via")).toEqual([sent.replace(";", `${received};`)]);
    }
  });

  it("ignores empty lines before a message", async () => {
    const phone = await (await start()).connect(transport);
    expect((await phone.ask(`\r\n${phone.request("OPTIONS", "sip:x")}`)).status).toBe(200);
  });

  it("accepts a message with a long body and folded headers, and no message with long headers", async () => {
    const phone = await (await start()).connect(transport);
    const large = phone.request("OPTIONS", "sip:x", { "X-Folded": "one\r\n two" }, "x".repeat(60_000));
    expect((await phone.ask(large)).status).toBe(200);
    const ignored = phone.request("OPTIONS", "sip:x", { "X-Long": "x".repeat(16_384) });
    phone.sendRaw(ignored);
    const many = phone.request("OPTIONS", "sip:x", { "X-Many": Array.from({ length: 130 }, () => "x") });
    const contacts = Array.from({ length: 21 }, () => "<sip:x>").join();
    phone.sendRaw(phone.request("OPTIONS", "sip:x", { Contact: contacts }));
    // Over TCP, long headers close the connection, because they may have no end.
    if (transport === "tcp") return until(() => phone.isClosed);
    phone.sendRaw(many);
    expect((await phone.ask(phone.request("OPTIONS", "sip:x"))).status).toBe(200);
    expect(phone.received.filter(({ status }) => status === 200)).toHaveLength(2);
    return undefined;
  });
});

describe("over TCP", () => {
  it("splits the stream into messages by their lengths", async () => {
    const phone = await (await start()).connect("tcp");
    const messages = [1, 2, 3].map((cseq) =>
      phone.request("OPTIONS", "sip:x", { CSeq: `${cseq} OPTIONS` }, "é€\r\n\r\n"),
    );
    const bytes = Buffer.from(`\r\n${messages.join("")}`);
    // In the middle of a header, of the end of the headers, and of a character.
    const ends = [30, bytes.indexOf("\r\n\r\n") + 2, bytes.indexOf("é") + 1, bytes.length];
    for (const [index, end] of ends.entries()) {
      phone.sendRaw(bytes.subarray(ends[index - 1] ?? 0, end));
      await new Promise(setImmediate);
    }
    await until(() => phone.received.length === 3);
    expect(phone.received.map((message) => message.all("CSeq")[0])).toEqual([
      "1 OPTIONS",
      "2 OPTIONS",
      "3 OPTIONS",
    ]);
  });

  it.each([
    ["no length", (text: string) => text.replace(/Content-Length.*\r\n/, "")],
    ["two lengths", (text: string) => text.replace(/(?=Content-Length)/, "l: 5\r\n")],
    ["a negative length", (text: string) => text.replace(/(?<=Content-Length: )/, "-")],
    ["more than 64 kB", (text: string) => text.replace(/(?<=Content-Length: ).*(?=\r)/, "65536")],
    ["headers without an end", (text: string) => text.replace("\r\n\r\n", "x".repeat(16_385))],
  ])("closes a connection with %s", async (_problem, change) => {
    const phone = await (await start()).connect("tcp");
    phone.sendRaw(change(phone.request("OPTIONS", "sip:x")));
    await until(() => phone.isClosed);
  });
});

describe("over UDP", () => {
  it("repeats an INVITE until a response, rings on a 180 without Contact, and repeats the failure until the ACK", async () => {
    const { connect } = await start();
    const [caller, phone] = [await connect("udp"), await connect("udp")];
    expect((await phone.register("alice", "made-up-Lantern-27")).status).toBe(200);
    const uri = "sip:alice@127.0.0.1";
    const headers = {
      From: "<sip:919999900000@127.0.0.1>;tag=made-up",
      To: `<${uri}>`,
      Contact: "<sip:919999900000@127.0.0.1>",
    };
    const invite = caller.request("INVITE", uri, headers);
    caller.sendRaw(invite);
    const received = await phone.sees(({ method }) => method === "INVITE");
    await until(() => phone.received.filter(({ method }) => method === "INVITE").length >= 2);

    phone.respond(received, "180 Ringing");
    await caller.sees(({ status }) => status === 180);
    phone.respond(received, "486 Busy Here");
    await phone.sees(({ method }) => method === "ACK");
    const failure = await caller.sees(({ status }) => status >= 400);
    await until(() => caller.received.filter(({ status }) => status === failure.status).length >= 2);
    const ack = invite.replace(/^INVITE/, "ACK").replace(/1 INVITE/, "1 ACK");
    caller.sendRaw(ack.replace(/^To: .*\r\n/m, `To: ${failure.all("To")[0]}\r\n`));
    // The ACK has arrived when the response to the next request has. A response without a transaction is not repeated.
    const refused = await caller.ask(caller.request("INVITE", "sip:x", { Require: "made-up" }));
    expect(refused.status).toBe(420);
    const count = caller.received.length;
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(caller.received).toHaveLength(count);
  });

  it("forgets no address with a phone or an unfinished INVITE when there are too many", async () => {
    const answerServer = createServer((socket) => void socket.resume().unref());
    answerServer.listen(0, "127.0.0.1").unref();
    await once(answerServer, "listening");
    const { port } = answerServer.address() as { port: number };
    const { client, connect, lineOf } = await start({ answerTimeoutMs: 60_000 });
    const number = { number: 914471000000, answerUrl: `http://127.0.0.1:${port}/` };
    await client.send("POST", "/_emulator/numbers", JSON.stringify(number));
    const [caller, phone, idle] = [await connect("udp"), await connect("udp"), await connect("udp")];
    const uri = "sip:914471000000@x";
    const invite = caller.request("INVITE", uri, {
      From: "<sip:919999900000@x>;tag=made-up",
      To: `<${uri}>`,
      Contact: "<sip:919999900000@x>",
    });
    caller.sendRaw(invite);
    await caller.sees(({ status }) => status === 100);
    await phone.register("alice", "made-up-Lantern-27");
    const repeated = idle.request("REGISTER", "sip:x");
    const challenge = await idle.ask(repeated);
    for (let group = 1; group <= 10; group++) {
      const others = Array.from({ length: 100 }, async (_, index) => {
        const other = await RawPhone.connect({
          ...lineOf("udp"),
          localAddress: `127.0.${group}.${index + 1}`,
        });
        await other.ask(other.request("OPTIONS", "sip:x"));
        other.close();
      });
      await Promise.all(others);
    }
    // A remembered request gets the same response again.
    expect((await idle.ask(repeated)).text).not.toBe(challenge.text);
    expect(JSON.parse((await client.send("GET", "/_emulator/phones")).text)).toHaveLength(1);
    caller.sendRaw(invite.replace(/^INVITE/, "CANCEL").replace("1 INVITE", "1 CANCEL"));
    await caller.sees(({ status }) => status === 487);
  });
});

it("sends BYE to a caller whose contact contains a percent sign", async () => {
  const { connect } = await start();
  const [caller, phone] = [await connect("tcp"), await connect("tcp")];
  await phone.register("bob", "made-up-Harbor-58");
  const sdp =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 7000 RTP/AVP 0\r\n";
  const type = { "Content-Type": "application/sdp" };
  const dialog = { From: "<sip:919999900000@x>;tag=made-up", "Call-ID": "made-up" };
  const invite = { ...dialog, To: "<sip:bob@x>", Contact: "<sip:50%25+@x>", ...type };
  caller.sendRaw(caller.request("INVITE", "sip:bob@x", invite, sdp));
  const ringing = await phone.sees(({ method }) => method === "INVITE");
  phone.respond(ringing, "200 OK", { Contact: "<sip:bob@x>", ...type }, sdp);
  const answered = await caller.sees(({ status }) => status === 200);
  const [To = ""] = answered.all("To");
  caller.sendRaw(caller.request("ACK", "sip:x", { ...dialog, To, CSeq: "1 ACK" }));
  await phone.sees(({ method }) => method === "ACK");
  const [from = "", to = ""] = [...ringing.all("From"), ...ringing.all("To")];
  const bye = { From: `${to};tag=made-up`, To: from, "Call-ID": ringing.callId, CSeq: "1 BYE" };
  expect((await phone.ask(phone.request("BYE", "sip:x", bye))).status).toBe(200);
  expect((await caller.sees(({ method }) => method === "BYE")).text).toMatch(/^BYE sip:50%25\+@x SIP/);
});

describe("the port for SIP", () => {
  it("is an error if it is in use for UDP or TCP, and nothing stays open", async () => {
    const tcp = createServer().listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as { port: number };
    await expect(startClient({ sipPort: port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is in use. Set EMULATOR_SIP_PORT to another port, or to 0 for any free port.`,
    );
    tcp.close();
    await once(tcp, "close");
    const udp = createSocket("udp4").bind(port, "127.0.0.1");
    await once(udp, "listening");
    await expect(startClient({ sipPort: port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use.`);
    udp.close();
    await once(udp, "close");
    const { sipAddress } = await start({ sipPort: port });
    expect(sipAddress).toBe(`127.0.0.1:${port}`);
  });

  it("is the address of the endpoints, unless EMULATOR_SBC or a client has set another one", async () => {
    const directory = mkdtempSync(join(tmpdir(), "emulator-"));
    try {
      const dataFile = join(directory, "endpoints.json");
      const { client, sipAddress } = await start({ dataFile });
      await client.request("add_sip", { username: "erin", password: "made-up-1" });
      const address = `${sipAddress};transport=udp`;
      const addresses = async ({ client }: { client: EmulatorClient }) =>
        Promise.all(
          ["alice", "bob", "erin"].map(
            async (username) => JSON.parse((await client.request("get_sip", { username })).text).connect_URL,
          ),
        );
      expect(await addresses({ client })).toEqual([address, address, address]);
      await closeEmulators();

      const own = "192.0.2.1:5060;transport=udp";
      writeFileSync(dataFile, readFileSync(dataFile, "utf8").replace("sbc.emulator.example", own));
      const next = await start({ dataFile });
      const other = `${next.sipAddress};transport=udp`;
      expect(await addresses(next)).toEqual([own, other, other]);
      await next.client.request("update_sip", { username: "bob", password: "made-up-2" });
      await closeEmulators();
      const without = await start({ dataFile, sipPort: undefined });
      expect(await addresses(without)).toEqual([own, "sbc.emulator.example", "sbc.emulator.example"]);
      const overridden = await start({ sbc: "sbc.example" });
      expect((await overridden.client.request("get_sip", { username: "alice" })).text).toContain(
        '"sbc.example"',
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("accepts phones on every address, and names the address that a phone has used", async () => {
    const { client } = await start({ host: "0.0.0.0" });
    const address = client.emulator.sipAddress ?? "";
    expect(address).toMatch(/^127\.0\.0\.1:/);
    const phone = await RawPhone.connect({ transport: "udp", address });
    await phone.register("alice", "made-up-Lantern-27");
    phone.sendRaw(
      phone.request("INVITE", "sip:alice@x", {
        From: "<sip:91999@x>;tag=1",
        To: "<sip:alice@x>",
        Contact: "<sip:91999@x>",
      }),
    );
    const invite = await phone.sees(({ method }) => method === "INVITE");
    expect(invite.all("Via")[0]).toContain(address);
    expect(invite.all("Contact")[0]).toContain(address);
  });
});

it("closes while connections are open, refused or in the middle of a message", async () => {
  const { client, host, connect, sipAddress } = await start();
  const upgrade = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  const refused = http(host, `${upgrade}Origin: https://pages.example\r\n\r\n`);
  await refused.sees(/^HTTP\/1\.1 403 Forbidden\r\n[\s\S]*EMULATOR_ALLOWED_ORIGINS/);
  const invalid = http(host, `${upgrade}Sec-WebSocket-Protocol: sip\r\n\r\n`);
  await invalid.sees(/^HTTP\/1\.1 400 /);
  const [browser, app, unfinished] = [await connect("ws"), await connect("tcp"), await connect("tcp")];
  await browser.register("alice", "made-up-Lantern-27");
  await app.register("bob", "made-up-Harbor-58");
  unfinished.sendRaw("INVITE sip:al");
  await closeEmulators();
  await Promise.all([refused.closes(), invalid.closes()]);
  await until(() => browser.isClosed && app.isClosed && unfinished.isClosed);
  await expect(client.send("GET", "/_emulator/phones")).rejects.toThrow();
  const again = await startClient({ sipPort: Number(sipAddress.split(":")[1]) });
  expect(again.emulator.sipAddress).toBe(sipAddress);
});

it("closes a WebSocket whose handler fails", async () => {
  const server = createHttpServer();
  handleUpgrades(server, async () => () => {
    throw new Error("made up");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  await http(`127.0.0.1:${port}`, upgrade).closes();
  server.close();
});

it.each([
  ["too many", 1000, ""],
  ["too large", 600, "x".repeat(60_000)],
])("refuses requests with 503 when those that it remembers are %s", async (_problem, count, body) => {
  const phone = await (await start()).connect("ws");
  for (let index = 0; index < count; index++) phone.sendRaw(phone.request("REGISTER", "sip:x", {}, body));
  await until(() => phone.received.length === count);
  if (body === "") expect(phone.received.filter(({ status }) => status === 503)).toEqual([]);
  const refused = await phone.ask(phone.request("REGISTER", "sip:x"));
  expect(refused).toMatchObject({ status: 503 });
  expect(refused.all("Retry-After")).toEqual(["5"]);
});

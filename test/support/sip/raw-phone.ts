import { createHash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket } from "ws";
import { until } from "../until.js";

/** What a phone sends over, and where. */
export interface Line {
  readonly transport: "ws" | "udp" | "tcp";
  /** Host and port, such as `127.0.0.1:5070`. */
  readonly address: string;
  /** The phone's own address. */
  readonly localAddress?: string;
}

const open: RawPhone[] = [];

/** A received message. */
export interface Message {
  readonly text: string;
  /** The status of a response, else 0. */
  readonly status: number;
  readonly method: string;
  readonly callId: string;
  /** Returns the values of a header. */
  all(name: string): readonly string[];
}

/** A phone that sends SIP messages as they are, also invalid ones. `closePhones` closes its connection. */
export class RawPhone {
  readonly received: Message[] = [];
  isClosed = false;
  #unread = "";

  private constructor(
    readonly line: Line,
    readonly port: number,
    readonly sendRaw: (data: string | Buffer) => void,
    readonly close: () => void,
  ) {
    open.push(this);
  }

  static async connect(line: Line, headers: Record<string, string> = {}): Promise<RawPhone> {
    const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(line.address) ?? [];
    const { localAddress = "127.0.0.1" } = line;
    if (line.transport === "ws") {
      const socket = new WebSocket(`ws://${line.address}/any/path`, "sip", { headers, localAddress });
      const phone = new RawPhone(
        line,
        0,
        (data) => socket.send(data),
        () => socket.terminate(),
      );
      socket.on("message", (data) => phone.#receive(data.toString()));
      socket.on("close", () => phone.#end());
      socket.on("error", () => {});
      await new Promise<void>((resolve, reject) => {
        socket.once("open", resolve);
        socket.once("unexpected-response", (_request, response) => {
          response.resume();
          reject(new Error(`HTTP ${response.statusCode}`));
        });
        socket.once("close", () => reject(new Error("closed")));
      });
      return phone;
    }
    if (line.transport === "tcp") {
      const socket = connect({ port: Number(port), host, localAddress });
      await once(socket, "connect");
      const phone = new RawPhone(
        line,
        socket.localPort ?? 0,
        (data) => socket.write(data),
        () => socket.destroy(),
      );
      socket.on("data", (data) => phone.#receive(data.toString()));
      socket.on("error", () => {});
      socket.on("close", () => phone.#end());
      return phone;
    }
    const socket = createSocket("udp4").bind(0, localAddress);
    await once(socket, "listening");
    const phone = new RawPhone(
      line,
      socket.address().port,
      (data) => socket.send(data, Number(port), host),
      () => void (phone.isClosed || socket.close(() => phone.#end())),
    );
    socket.on("message", (data) => phone.#receive(data.toString()));
    return phone;
  }

  /** Returns the text of a request, with the headers that every request needs unless they are given. */
  request(
    method: string,
    uri: string,
    headers: Record<string, string | readonly string[]> = {},
    body = "",
  ): string {
    const transport = this.line.transport.toUpperCase();
    const all = {
      Via: `SIP/2.0/${transport} 127.0.0.1:${this.port || 5060};rport;branch=z9hG4bK${token()}`,
      "Max-Forwards": "70",
      From: `<${uri}>;tag=${token()}`,
      To: `<${uri}>`,
      "Call-ID": token(),
      CSeq: `1 ${method}`,
      ...headers,
      "Content-Length": String(Buffer.byteLength(body)),
    };
    const lines = Object.entries(all).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}: ${value}`),
    );
    return `${method} ${uri} SIP/2.0\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
  }

  /** Responds to a received request with a status, such as `200 OK`. */
  respond(request: Message, status: string, headers: Record<string, string> = {}, body = ""): void {
    const lines = ["Via", "From", "Call-ID", "CSeq"].flatMap((name) =>
      request.all(name).map((value) => `${name}: ${value}`),
    );
    const [to = ""] = request.all("To");
    const all = {
      To: to.includes(";tag=") ? to : `${to};tag=made-up`,
      ...headers,
      "Content-Length": String(Buffer.byteLength(body)),
    };
    for (const [name, value] of Object.entries(all)) lines.push(`${name}: ${value}`);
    this.sendRaw(`SIP/2.0 ${status}\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  }

  /** Sends a request and waits for its final response. */
  async ask(text: string): Promise<Message> {
    const [callId, sequence] = [/^Call-ID: (.*)$/m, /^CSeq: (.*)$/m].map((pattern) =>
      pattern.exec(text)?.[1]?.trim(),
    );
    const first = this.received.length;
    this.sendRaw(text);
    return this.sees(
      (message) => message.status >= 200 && message.callId === callId && message.all("CSeq")[0] === sequence,
      first,
    );
  }

  /** Waits for a message that matches, among those after the first ones. */
  async sees(matches: (message: Message) => boolean, first = 0): Promise<Message> {
    await until(() => {
      if (this.isClosed) throw new Error("The connection is closed.");
      return this.received.slice(first).some(matches);
    });
    return this.received.slice(first).find(matches) as Message;
  }

  /** Registers with a password as phones do: without credentials first. */
  async register(
    username: string,
    password: string,
    headers: Record<string, string | readonly string[]> = {},
    cseq = 1,
  ): Promise<Message> {
    const uri = `sip:${encodeURIComponent(username)}@piopiy.example`;
    const all = { Contact: `<${this.contact(username)}>`, "Call-ID": token(), ...headers };
    const ask = (number: number, credentials = {}) =>
      this.ask(this.request("REGISTER", uri, { CSeq: `${number} REGISTER`, ...all, ...credentials }));
    const challenge = await ask(cseq);
    if (challenge.status !== 401) return challenge;
    const Authorization = credentials(challenge, { username, password, method: "REGISTER", uri });
    return ask(cseq + 1, { Authorization });
  }

  /** The Contact of the phone. Over WebSocket, as browsers have it. */
  contact(username: string): string {
    const host = this.line.transport === "ws" ? "made-up.invalid" : `127.0.0.1:${this.port}`;
    return `sip:${encodeURIComponent(username)}@${host};transport=${this.line.transport}`;
  }

  #receive(text: string): void {
    this.#unread += text;
    for (;;) {
      const end = this.#unread.indexOf("\r\n\r\n");
      if (end === -1) {
        if (this.#unread !== "\r\n") return;
        this.#take(2);
        return;
      }
      const length = Number(/^Content-Length: *(\d+)/im.exec(this.#unread.slice(0, end))?.[1] ?? 0);
      if (this.#unread.length < end + 4 + length) return;
      this.#take(end + 4 + length);
    }
  }

  #take(length: number): void {
    const text = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    const all = (name: string) =>
      [...text.matchAll(new RegExp(`^${name}: *(.*)\\r$`, "gim"))].map(([, value = ""]) => value);
    const status = Number(/^SIP\/2\.0 (\d+)/.exec(text)?.[1] ?? 0);
    const method = /^\S*/.exec(text)?.[0] ?? "";
    this.received.push({ text, status, method, callId: all("Call-ID")[0] ?? "", all });
  }

  #end(): void {
    this.isClosed = true;
  }
}

/** Returns the value of an Authorization header for a challenge. */
export function credentials(
  challenge: Message,
  { username, password, method, uri }: Record<"username" | "password" | "method" | "uri", string>,
  qop: "auth" | undefined = "auth",
): string {
  const [header = ""] = [...challenge.all("WWW-Authenticate"), ...challenge.all("Proxy-Authenticate")];
  const field = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(header)?.[1] ?? "";
  const secret = md5(`${username}:${field("realm")}:${password}`);
  const client = qop ? ":00000001:made-up-cnonce:auth" : "";
  const response = md5(`${secret}:${field("nonce")}${client}:${md5(`${method}:${uri}`)}`);
  const quoted = { username, realm: field("realm"), nonce: field("nonce"), uri, response };
  const fields = Object.entries(quoted).map(
    ([name, value]) => `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"`,
  );
  if (qop) fields.push("qop=auth", "nc=00000001", 'cnonce="made-up-cnonce"');
  return `Digest ${fields.join(", ")}`;
}

/** Closes the connections of all phones. */
export function closePhones(): void {
  for (const phone of open.splice(0)) phone.close();
}

/** Returns a random text, such as for a branch or a tag. */
export function token(): string {
  return randomBytes(8).toString("hex");
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { isIPv6 } from "node:net";
import {
  type IncomingInviteRequest,
  type IncomingRegisterRequest,
  IncomingRequestMessage,
  IncomingResponseMessage,
  LoggerFactory,
  NameAddrHeader,
  Parser,
  ReInviteUserAgentServer,
  Timers,
  TransactionState,
  URI,
  type UserAgentClient,
  UserAgentCore,
  type UserAgentServer,
} from "sip.js/lib/core/index.js";
import { AllowedMethods } from "sip.js/lib/core/user-agent-core/allowed-methods.js";
import { normalizeMessage } from "./normalize-message.js";
import { Retransmission } from "./retransmission.js";

/** Bytes of the largest SIP message. */
export const MAX_MESSAGE_BYTES = 65_536;
/** Contacts, and also entries of Record-Route, of a message. sip.js parses all of them, to objects a hundred times as large. */
const MAX_ADDRESSES = 20;
/** Connections over TCP, and also over WebSocket. */
export const MAX_CONNECTIONS = 1000;
/** Bytes that a phone may leave unread. */
export const MAX_UNREAD_BYTES = 1_048_576;
/** Requests of one flow that are remembered to recognize their retransmissions. */
const MAX_TRANSACTIONS = 1000;

// sip.js expects WebSockets. Over UDP, a transaction must outlive the retransmissions of the other side (RFC 3261, 17).
Object.assign(Timers, { TIMER_D: 32_000, TIMER_I: 5000, TIMER_J: 32_000, TIMER_K: 5000 });
// sip.js responds to all other methods with 405, and to OPTIONS with these in the header Allow.
AllowedMethods.splice(
  0,
  AllowedMethods.length,
  "INVITE",
  "ACK",
  "CANCEL",
  "BYE",
  "INFO",
  "OPTIONS",
  "REGISTER",
);

/** The header Allow, for the messages to which sip.js does not add it. */
export const allowHeader = `Allow: ${AllowedMethods.join(", ")}`;

// sip.js decodes the user of a URI when it parses it, and decodes it again here: it throws if the user contains a percent sign.
Object.assign(URI.prototype, {
  escapeUser: (user: string) => encodeURIComponent(user).replaceAll("%2B", "+"),
});

const loggers = new LoggerFactory();
// The log of sip.js contains whole messages.
loggers.builtinEnabled = false;

/** A connection to one phone. Over UDP: an address of a phone. */
export interface Wire {
  readonly transport: "ws" | "udp" | "tcp";
  /** The IP address of the phone. IPv4 addresses have the form 127.0.0.1, also on IPv6 sockets. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The IP address at which this phone reaches the SBC. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Sends a message. Never throws: a broken wire closes. */
  send(message: string): void;
  close(): void;
}

/** Accepts a wire. Returns the flow to which its messages go. */
export type Connect = (wire: Wire) => Flow;

/** The requests of phones that create something. */
export interface FlowHandlers {
  register(flow: Flow, request: IncomingRegisterRequest): void;
  invite(flow: Flow, request: IncomingInviteRequest): void;
  /** Whether the SBC has so many transactions that new ones must be refused. */
  isOverloaded(): boolean;
}

/**
 * One way to one phone: a wire and the SIP transactions and dialogs on it. The SBC sends to a phone only on the flow on which the
 * phone has sent, because the address in its Contact is often not reachable.
 */
export class Flow {
  readonly core: UserAgentCore;
  readonly #closed = new AbortController();
  readonly #isOverloaded: () => boolean;
  readonly #retransmission: Retransmission | undefined;

  constructor(
    readonly wire: Wire,
    handlers: FlowHandlers,
  ) {
    const send = (message: string) => {
      if (!this.closed.aborted) wire.send(message);
    };
    if (wire.transport === "udp") {
      this.#retransmission = new Retransmission(send, (branch) => this.core.userAgentServers.has(branch));
    }
    const transport = {
      protocol: wire.transport.toUpperCase(),
      send: async (message: string) => {
        send(message);
        this.#retransmission?.sent(message);
      },
    };
    // One for each call and phone: Node.js warns of a leak when there are more than ten.
    setMaxListeners(0, this.closed);
    const contact = this.contact();
    this.core = new UserAgentCore(
      {
        aor: contact,
        contact: { pubGruu: undefined, tempGruu: undefined, uri: contact, toString: () => `<${contact}>` },
        displayName: "",
        loggerFactory: loggers,
        hackViaTcp: false,
        routeSet: [],
        sipjsId: randomBytes(4).toString("hex"),
        supportedOptionTags: [],
        supportedOptionTagsResponse: [],
        userAgentHeaderFieldValue: "PIOPIY emulator",
        viaForceRport: wire.transport === "udp",
        viaHost: `${bracketed(wire.localAddress)}:${wire.localPort}`,
        authenticationFactory: () => undefined,
        transportAccessor: () => transport,
      },
      {
        onRegister: (request) => respondToFailure(request, () => handlers.register(this, request)),
        onInvite: (request) => respondToFailure(request, () => handlers.invite(this, request)),
      },
    );
    this.#isOverloaded = () => this.core.userAgentServers.size >= MAX_TRANSACTIONS || handlers.isOverloaded();
  }

  /** Aborted when the connection is broken or the SBC closes. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Whether the phone is in a call, or an INVITE from it or to it has no final response yet. */
  get isInCall(): boolean {
    const { dialogs, userAgentServers, userAgentClients } = this.core;
    const isOpen = ({ transaction: { request, state } }: UserAgentServer | UserAgentClient) =>
      request.method === "INVITE" &&
      (state === TransactionState.Calling || state === TransactionState.Proceeding);
    return (
      dialogs.size > 0 ||
      [...userAgentServers.values()].some(isOpen) ||
      [...userAgentClients.values()].some(isOpen)
    );
  }

  /** The SBC's own URI on this flow, for Contact, From and To. */
  contact(username?: string): URI {
    const { localAddress, localPort, transport } = this.wire;
    return new URI("sip", username ?? "", bracketed(localAddress), localPort, { transport });
  }

  /** Processes a message of the phone. Ignores a malformed message. */
  receive(message: string): void {
    if (this.closed.aborted) return;
    try {
      this.#receive(message);
    } catch {
      // sip.js throws at malformed messages. Without a valid Via, there is no address to respond to.
    }
  }

  /** Ends all transactions and dialogs and closes the wire. */
  close(): void {
    if (this.closed.aborted) return;
    this.#closed.abort();
    this.#retransmission?.close();
    this.core.dispose();
    this.wire.close();
  }

  #receive(text: string): void {
    const normal = normalizeMessage(text);
    const message =
      normal === undefined ? undefined : Parser.parseMessage(normal, loggers.getLogger("parser"));
    if (!message?.viaBranch || !message.from || !message.to || !message.callId) return;
    if (!Number.isSafeInteger(message.cseq)) return;
    const { Contact = [], "Record-Route": routes = [] } = message.headers;
    if (Math.max(Contact.length, routes.length) > MAX_ADDRESSES) return;
    this.#retransmission?.received(message);
    if (message instanceof IncomingRequestMessage) this.#receiveRequest(message);
    else if (message instanceof IncomingResponseMessage) this.#receiveResponse(message);
  }

  #receiveRequest(message: IncomingRequestMessage): void {
    const { core } = this;
    this.#addSource(message);
    if (!message.ruri) return;
    if (message.s("cseq")?.method !== message.method) {
      if (message.method !== "ACK") {
        core.replyStateless(message, { statusCode: 400, reasonPhrase: "CSeq Has Another Method" });
      }
      return;
    }
    const { method } = message;
    const required = message.getHeaders("require");
    if (required.length > 0 && AllowedMethods.includes(method) && method !== "ACK" && method !== "CANCEL") {
      core.replyStateless(message, {
        statusCode: 420,
        extraHeaders: [`Unsupported: ${required.join(", ")}`],
      });
      return;
    }
    const isNew = !core.userAgentServers.has(message.viaBranch);
    if (isNew && !["ACK", "CANCEL", "BYE"].includes(method) && this.#isOverloaded()) {
      core.replyStateless(message, { statusCode: 503, extraHeaders: ["Retry-After: 5"] });
      return;
    }
    // sip.js takes requests with the same Call-ID, From tag and number for merged ones, whatever their methods are.
    if (method === "REGISTER") message.fromTag = `REGISTER ${message.fromTag}`;
    // sip.js responds with 404 unless the user of the request URI is its own.
    core.configuration.aor = message.ruri;
    core.receiveIncomingRequestFromTransport(message);
    if (method !== "CANCEL") return;
    const server = core.userAgentServers.get(message.viaBranch);
    // sip.js responds to the CANCEL of a re-INVITE, but calls back only for that of an INVITE.
    if (
      server instanceof ReInviteUserAgentServer &&
      server.transaction.state === TransactionState.Proceeding
    ) {
      server.receiveCancel(message);
    }
  }

  /** Adds the source of a request to its Via (RFC 3261, 18.2.1 and RFC 3581). sip.js copies the header into the responses. */
  #addSource({ headers, via: { host } }: IncomingRequestMessage): void {
    const { remoteAddress, remotePort } = this.wire;
    const [via] = headers.Via ?? [];
    if (!via) return;
    const raw = via.raw.replace(/^([^,]*?);\s*rport(?=[;,\s]|$)/i, `$1;rport=${remotePort}`);
    if (raw === via.raw && host === bracketed(remoteAddress)) return;
    via.raw = raw.replace(";", `;received=${remoteAddress};`);
  }

  #receiveResponse(message: IncomingResponseMessage): void {
    const { statusCode = 0 } = message;
    const client = this.core.userAgentClients.get(message.viaBranch + message.method);
    if (!client || statusCode < 100 || statusCode > 699) return;
    // Some phones send a 180 without Contact. sip.js drops it, and throws at such a 200.
    if (message.method === "INVITE" && statusCode < 300 && !message.hasHeader("contact")) {
      const { ruri } = client.transaction.request as unknown as { ruri: URI };
      message.addHeader("contact", `<${ruri}>`);
      const [contact] = message.headers.Contact ?? [];
      if (contact) contact.parsed = new NameAddrHeader(ruri, "", {});
    }
    this.core.receiveIncomingResponseFromTransport(message);
  }
}

/** Calls a handler. If it fails, the phone gets a response instead of silence. */
function respondToFailure(request: IncomingRegisterRequest, handle: () => void): void {
  try {
    handle();
  } catch {
    request.reject({ statusCode: 500 });
  }
}

function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

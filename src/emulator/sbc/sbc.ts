import { lookup } from "node:dns/promises";
import type { IncomingMessage } from "node:http";
import { isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import { isNativeError } from "node:util/types";
import { ownHost } from "../control-guard.js";
import type { Endpoints } from "../endpoints.js";
import { EmulatorError, type EmulatorSettings } from "../settings.js";
import { Calls } from "./calls.js";
import { Authentication } from "./digest.js";
import { Flow, type Wire } from "./flow.js";
import { type Phone, Registrar } from "./registrar.js";
import { TcpTransport } from "./tcp.js";
import { isUnspecified, UdpTransport } from "./udp.js";
import { WebSocketTransport } from "./websocket.js";

/** Attempts to find a port that is free for UDP and for TCP. */
const PORT_ATTEMPTS = 10;
/** Requests of all flows that are remembered to recognize their retransmissions. */
const MAX_TRANSACTIONS = 20_000;
/** Characters of these requests. */
const MAX_TRANSACTION_LENGTH = 33_554_432;
/** Milliseconds for which a count of the transactions is used again. */
const COUNT_MS = 100;

/**
 * The emulator's session border controller, for development only: phones register with it, and it connects their calls. It passes
 * session descriptions through, and sound and picture flow between the phones.
 */
export class Sbc {
  readonly calls: Calls;
  readonly #registrar: Registrar;
  readonly #flows = new Set<Flow>();
  readonly #webSockets: WebSocketTransport;
  #udp: UdpTransport | undefined;
  #tcp: TcpTransport | undefined;
  #overload = { isOverloaded: false, countedAt: Number.NEGATIVE_INFINITY };

  constructor(settings: EmulatorSettings, endpoints: Endpoints) {
    const { allowedOrigins, answerTimeoutMs } = settings;
    const authentication = new Authentication(endpoints);
    this.#registrar = new Registrar(endpoints, authentication);
    this.calls = new Calls({ endpoints, registrar: this.#registrar, authentication, answerTimeoutMs });
    this.#webSockets = new WebSocketTransport(allowedOrigins, ownHost(settings), (wire) =>
      this.#connect(wire),
    );
  }

  /**
   * Opens a port for UDP and TCP. With port 0, the system chooses one that is free for both. Returns the address and port for
   * phones on this machine or, with a certain host, for all phones. Rejects with an `EmulatorError`.
   */
  async listen(host: string, port: number): Promise<string> {
    const connect = (wire: Wire) => this.#connect(wire);
    const isInUse = (flow: Flow) => this.#registrar.hasPhoneOn(flow) || flow.isInCall;
    for (let attempt = 1; ; attempt++) {
      let tcp: TcpTransport | undefined;
      try {
        const { address } = await lookup(host);
        tcp = await TcpTransport.open(address, port, connect, isInUse);
        this.#udp = await UdpTransport.open(address, tcp.port, connect, isInUse);
        this.#tcp = tcp;
        const shown = isUnspecified(address) ? loopbackOf(address) : address;
        return `${isIPv6(shown) ? `[${shown}]` : shown}:${tcp.port}`;
      } catch (error) {
        await tcp?.close();
        // A port that the system chooses for TCP may be taken for UDP.
        if (port === 0 && isInUseError(error) && attempt < PORT_ATTEMPTS) continue;
        throw new EmulatorError(explain(error, host, port));
      }
    }
  }

  /** Handles a WebSocket upgrade of the emulator's HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#webSockets.upgrade(request, socket, head);
  }

  /** Returns the registered phones. */
  phones(): readonly Phone[] {
    return this.#registrar.list();
  }

  /** Ends all calls and closes all connections and ports. */
  async close(): Promise<void> {
    await this.calls.close();
    for (const flow of this.#flows) flow.close();
    this.#registrar.close();
    this.#webSockets.close();
    await Promise.all([this.#udp?.close(), this.#tcp?.close()]);
  }

  #connect(wire: Wire): Flow {
    const flow = new Flow(wire, {
      register: (...request) => this.#registrar.register(...request),
      invite: (...request) => this.calls.invite(...request),
      isOverloaded: () => this.#isOverloaded(),
    });
    this.#flows.add(flow);
    flow.closed.addEventListener("abort", () => {
      this.#flows.delete(flow);
      this.#registrar.removeFlow(flow);
    });
    return flow;
  }

  #isOverloaded(): boolean {
    const now = performance.now();
    if (now - this.#overload.countedAt >= COUNT_MS) {
      let [count, length] = [0, 0];
      for (const { core } of this.#flows) {
        count += core.userAgentServers.size;
        for (const { message } of core.userAgentServers.values()) length += message.data.length;
      }
      const isOverloaded = count >= MAX_TRANSACTIONS || length >= MAX_TRANSACTION_LENGTH;
      this.#overload = { isOverloaded, countedAt: now };
    }
    return this.#overload.isOverloaded;
  }
}

function loopbackOf(unspecified: string): string {
  return unspecified === "::" ? "::1" : "127.0.0.1";
}

function isInUseError(error: unknown): boolean {
  return isNativeError(error) && "code" in error && error.code === "EADDRINUSE";
}

function explain(error: unknown, host: string, port: number): string {
  if (isInUseError(error)) {
    return `Port ${port} on ${host} is in use. Set EMULATOR_SIP_PORT to another port, or to 0 for any free port.`;
  }
  return `The emulator cannot listen for SIP on ${host}, port ${port}: ${String(error)}`;
}

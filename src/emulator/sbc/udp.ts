import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { plainAddress } from "./addresses.js";
import { type Connect, type Flow, MAX_MESSAGE_BYTES, type Wire } from "./flow.js";

/** Addresses of phones that are remembered at the same time. */
const MAX_FLOWS = 1000;
/** Milliseconds after the last packet, after which an address without phone and call is forgotten. */
const IDLE_MS = 300_000;
const SWEEP_MS = 60_000;

/** SIP over UDP: one flow for each remote address and port. */
export class UdpTransport {
  /** The flow with the oldest packet is the first. */
  readonly #flows = new Map<string, { readonly flow: Flow; lastPacketAt: number }>();
  readonly #sweeps: NodeJS.Timeout;

  private constructor(
    private readonly socket: Socket,
    private readonly connect: Connect,
    private readonly isInUse: (flow: Flow) => boolean,
  ) {
    socket.on("message", (data, remote) => this.#receive(data, remote));
    // An error belongs to one packet, which is lost then.
    socket.on("error", () => {});
    this.#sweeps = setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  /** Opens a port. Rejects with the error of the system. */
  static async open(
    address: string,
    port: number,
    connect: Connect,
    isInUse: (flow: Flow) => boolean,
  ): Promise<UdpTransport> {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const listening = once(socket, "listening");
    socket.bind(port, address);
    try {
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    return new UdpTransport(socket, connect, isInUse);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeps);
    // Packets are sent in the next turn of the event loop.
    await new Promise(setImmediate);
    const closed = once(this.socket, "close");
    this.socket.close();
    await closed;
  }

  #receive(data: Buffer, remote: RemoteInfo): void {
    const key = `${remote.address} ${remote.port}`;
    // A keep-alive. Some phones send an empty packet or zeros.
    if (data.length <= 4) {
      if (data.toString() === "\r\n\r\n") this.#send("\r\n", remote);
      return;
    }
    if (data.length > MAX_MESSAGE_BYTES) return;
    const known = this.#flows.get(key);
    if (!known && this.#flows.size >= MAX_FLOWS && !this.#removeOne()) return;
    const flow = known?.flow ?? this.connect(this.#wire(remote, key));
    this.#flows.delete(key);
    this.#flows.set(key, { flow, lastPacketAt: performance.now() });
    flow.receive(data.toString());
  }

  #send(message: string, { port, address }: RemoteInfo): void {
    try {
      this.socket.send(message, port, address, () => {});
    } catch {
      // The socket is closed, or the remote port is 0.
    }
  }

  #wire(remote: RemoteInfo, key: string): Wire {
    const { address, port } = this.socket.address();
    const remoteAddress = plainAddress(remote.address);
    return {
      transport: "udp",
      remoteAddress,
      remotePort: remote.port,
      localAddress: isUnspecified(address) ? localAddressTo(remoteAddress) : address,
      localPort: port,
      send: (message) => this.#send(message, remote),
      close: () => void this.#flows.delete(key),
    };
  }

  /** Removes the flow that has been idle for the longest time. Returns whether there was one. */
  #removeOne(): boolean {
    for (const { flow } of this.#flows.values()) {
      if (this.isInUse(flow)) continue;
      flow.close();
      return true;
    }
    return false;
  }

  #sweep(): void {
    for (const { flow, lastPacketAt } of [...this.#flows.values()]) {
      if (performance.now() - lastPacketAt > IDLE_MS && !this.isInUse(flow)) flow.close();
    }
  }
}

/** Whether an address stands for all addresses of the machine. */
export function isUnspecified(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Returns this machine's address in the network of a remote address. */
function localAddressTo(remote: string): string {
  const family = isIPv6(remote) ? "IPv6" : "IPv4";
  const candidates = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((candidate) => candidate.family === family);
  const inSameNetwork = candidates.find(({ address, cidr }) => {
    const network = new BlockList();
    const kind = family === "IPv6" ? "ipv6" : "ipv4";
    network.addSubnet(address, Number(cidr?.split("/")[1] ?? 0), kind);
    return cidr !== null && network.check(remote, kind);
  });
  const best = inSameNetwork ?? candidates.find(({ internal }) => !internal) ?? candidates[0];
  return best?.address ?? (family === "IPv6" ? "::1" : "127.0.0.1");
}

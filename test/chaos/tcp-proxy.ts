import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { seededRandom } from "./seeded-random.js";
import { TcpLink } from "./tcp-link.js";
import { drawDelay, drawToxic, type Toxic, type ToxicShare } from "./toxics.js";

/** The traffic of a proxy since its start, or since `resetCounts`. */
export interface ProxyCounts {
  connections: number;
  /** Requests that began. */
  exchanges: number;
  /** Replies of the upstream that began. */
  replies: number;
  readonly bytes: { request: number; reply: number };
  /** How often each toxic was chosen, by its kind and direction. */
  readonly toxics: Record<string, number>;
}

/** A TCP proxy for HTTP/1.1 connections that injects faults. */
export interface TcpProxy {
  /** The target's URL, with the host and port of the proxy. */
  readonly url: string;
  readonly counts: Readonly<ProxyCounts>;
  /** Connections that are open now. */
  readonly open: number;
  /** Sets the toxics of later exchanges. With `connection`, all exchanges of a new connection have the same one. */
  setToxics(shares: readonly ToxicShare[], per?: "exchange" | "connection"): void;
  /** Sets all counts to zero. */
  resetCounts(): void;
  /** Closes all connections, and refuses new ones. */
  close(): Promise<void>;
}

export async function startTcpProxy(target: string, seed: number): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const random = seededRandom(seed);
  const links = new Set<TcpLink>();
  const counts = newCounts();
  let shares: readonly ToxicShare[] = [];
  let perConnection = false;

  const draw = (ofConnection: Toxic | undefined) => {
    const toxic = perConnection ? ofConnection : drawToxic(shares, random);
    counts.exchanges += 1;
    if (toxic) counts.toxics[nameOf(toxic)] = (counts.toxics[nameOf(toxic)] ?? 0) + 1;
    return { toxic, delayMs: toxic?.kind === "latency" ? drawDelay(toxic, random) : 0 };
  };
  const server = createServer((client) => {
    const ofConnection = perConnection ? drawToxic(shares, random) : undefined;
    const upstream = connect({ host: hostname, port: Number(port), noDelay: true });
    client.setNoDelay(true);
    const link = new TcpLink(client, upstream, {
      begin: () => draw(ofConnection),
      replied: () => {
        counts.replies += 1;
      },
      passed: (direction, bytes) => {
        counts.bytes[direction] += bytes;
      },
    });
    links.add(link);
    client.once("close", () => links.delete(link));
    counts.connections += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");

  const url = new URL(target);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    counts,
    get open() {
      return links.size;
    },
    setToxics(next, per = "exchange") {
      shares = next;
      perConnection = per === "connection";
    },
    resetCounts() {
      Object.assign(counts, newCounts());
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const link of links) link.close();
      await closed;
    },
  };
}

function nameOf(toxic: Toxic): string {
  return "on" in toxic ? `${toxic.kind} of the ${toxic.on}` : toxic.kind;
}

function newCounts(): ProxyCounts {
  return { connections: 0, exchanges: 0, replies: 0, bytes: { request: 0, reply: 0 }, toxics: {} };
}

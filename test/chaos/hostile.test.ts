import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { exchange, type RawResponse } from "../support/http/raw-http.js";
import { holdsCanary } from "../support/upstream/canaries.js";
import { attacks } from "./hostile-requests.js";
import { isLong, quantile, Report } from "./report.js";
import { seededRandom } from "./seeded-random.js";

const SEED = 20_261_127;
const GOOD_CLIENTS = 9;
const EACH_MS = 100;
const QUIET_MS = isLong ? 30_000 : 1500;
const HOSTILE_MS = isLong ? 300_000 : 6000;
/** The number of open connections that do not read their responses. */
const UNREAD = 20;
/** The fewest hostile requests whose memory can be compared between two parts. */
const LEAST_ATTACKS = 20;
/** The first part of a run, in which the caches and the heap of a new process still grow. */
const WARM_PART = 1 / 3;
/** The passwords of a new emulator. */
const OF_THE_EMULATOR = /made-up-(Lantern|Harbor|Meadow|Pebble)/;

const keyOf = (name: string) => `made-up-key-of-${name}`;
const entryOf = (name: string, scopes: string) =>
  `${name}:${createHash("sha256").update(keyOf(name)).digest("hex")}:${scopes}`;
const settings = {
  PORT: "0",
  PIOPIY_URL: "emulator",
  AUTH: "api-key",
  API_KEYS: [
    ...Array.from({ length: GOOD_CLIENTS }, (_, number) => entryOf(`good-${number}`, "sip:read")),
    entryOf("hostile", "sip:read+sip:write"),
  ].join(","),
  LOG_LEVEL: "trace",
};

const report = new Report(
  "h",
  `seed ${SEED}, node dist/main.js with its defaults, ${GOOD_CLIENTS} clients that each read every ${EACH_MS} ms for ${QUIET_MS} ms alone and for ` +
    `${HOSTILE_MS} ms beside as many hostile requests as one of them sends, and ${UNREAD} connections that do not read`,
);
let gateway: BuiltGateway | undefined;
const unread = new Set<Socket>();
afterEach(async () => {
  for (const socket of unread) socket.destroy();
  gateway?.child.kill("SIGKILL");
  await gateway?.end;
});
afterAll(() => report.write());

interface GoodRead {
  readonly ms: number;
  readonly isRight: boolean;
}

/** Reads an endpoint at a fixed rate until the time is over. */
async function readFor(origin: string, client: number, ms: number): Promise<GoodRead[]> {
  const reads: Promise<GoodRead>[] = [];
  const end = performance.now() + ms;
  while (performance.now() < end) {
    reads.push(read(origin, client));
    await pause(EACH_MS);
  }
  return Promise.all(reads);
}

async function read(origin: string, client: number): Promise<GoodRead> {
  const begun = performance.now();
  try {
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${keyOf(`good-${client}`)}` },
      body: JSON.stringify({ query: '{ sipEndpoint(username: "alice") { username } }' }),
    });
    const { data } = (await response.json()) as { data?: { sipEndpoint?: { username: string } } };
    return { ms: performance.now() - begun, isRight: data?.sipEndpoint?.username === "alice" };
  } catch {
    return { ms: performance.now() - begun, isRight: false };
  }
}

function residentMegabytes({ child }: BuiltGateway): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1000;
}

/** Opens connections that send large queries and read no response, in place of those that the gateway has closed. */
function keepUnread(origin: string): void {
  const query = `{ ${Array.from({ length: 60 }, (_, index) => `a${index}: sipEndpoints(first: 4) { nodes { username } }`).join(" ")} }`;
  const body = JSON.stringify({ query });
  const head = `POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\nauthorization: Bearer ${keyOf("hostile")}`;
  while (unread.size < UNREAD) {
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    unread.add(socket);
    socket.pause();
    socket.on("error", () => socket.destroy()).once("close", () => unread.delete(socket));
    socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`.repeat(50));
  }
}

describe("A gateway with one hostile client in ten", () => {
  it(
    "serves the others, keeps its memory constant and logs no secret",
    async () => {
      gateway = await startBuiltGateway(settings);
      const { origin, output } = gateway;
      const clients = Array.from({ length: GOOD_CLIENTS }, (_, client) => client);
      const quiet = (await Promise.all(clients.map((client) => readFor(origin, client, QUIET_MS)))).flat();

      const random = seededRandom(SEED);
      const responses: RawResponse[] = [];
      const resident: number[] = [];
      const kinds = Object.values(attacks);
      const end = performance.now() + HOSTILE_MS;
      const hostile = async () => {
        // A busy machine has not served enough of them by then to compare two parts.
        while (performance.now() < end || resident.length < LEAST_ATTACKS) {
          keepUnread(origin);
          responses.push(...(await exchange(origin, random.pick(kinds)(random, keyOf("hostile")))));
          if (gateway) resident.push(residentMegabytes(gateway));
          await pause(EACH_MS);
        }
      };
      const [, ...good] = await Promise.all([
        hostile(),
        ...clients.map((client) => readFor(origin, client, HOSTILE_MS)),
      ]);
      const beside = good.flat();
      const wrong = [...quiet, ...beside].filter(({ isRight }) => !isRight).length;
      const [before, after] = [quiet, beside].map((reads) =>
        quantile(
          reads.map(({ ms }) => ms),
          0.99,
        ),
      );
      const settled = resident.slice(Math.floor(resident.length * WARM_PART));
      const early = quantile(settled.slice(0, settled.length / 2), 0.5);
      const late = quantile(settled.slice(settled.length / 2), 0.5);
      const lines = output.stdout.split("\n");
      const leaks = lines.filter((line) => holdsCanary(line, "password") || OF_THE_EMULATOR.test(line));

      report.goal(
        "reads of the other clients: all correct",
        `${beside.length - wrong} of ${beside.length} beside ${responses.length} hostile requests`,
        wrong === 0,
      );
      report.goal(
        "reads of the other clients: p99 within ten times that without hostile requests",
        `${before?.toFixed(1)} ms alone, ${after?.toFixed(1)} ms beside hostile requests`,
        Number(after) < 10 * Number(before),
      );
      report.goal(
        "memory constant: median of the last third within 20 % of the third before",
        `${early.toFixed(0)} and ${late.toFixed(0)} MB`,
        late < 1.2 * early,
      );
      report.goal(
        "hostile requests with a response of HTTP 5xx: none",
        String(responses.filter(({ status }) => status >= 500).length),
        responses.every(({ status }) => status < 500),
      );
      report.goal(
        "log lines with a password: none",
        `${leaks.length} of ${lines.length}`,
        leaks.length === 0,
      );
      expect(wrong).toBe(0);
      expect(responses.filter(({ status }) => status >= 500)).toEqual([]);
      expect(leaks).toEqual([]);
      expect(gateway.child.exitCode).toBeNull();
      expect(late).toBeLessThan(1.5 * early);
    },
    QUIET_MS + HOSTILE_MS + 240_000,
  );
});

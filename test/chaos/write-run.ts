import type { RecordedRequest } from "../support/gateway/test-gateway.js";
import type { ProxiedGateway } from "./proxied-gateway.js";
import { seededRandom } from "./seeded-random.js";
import type { ToxicShare } from "./toxics.js";
import { drawEmulatorFault } from "./write-faults.js";
import { operationOf, WritingClient } from "./writing-client.js";

const OWN_ENDPOINTS = 8;

/** The number of writes and clients, and the faults during the run. */
export interface WriteRun {
  readonly seed: number;
  readonly clients: number;
  /** Writes of each client between two checks of the emulator. */
  readonly round: number;
  readonly writes: number;
  readonly toxics: readonly ToxicShare[];
  /** The share of writes for which the emulator has a fault too. */
  readonly faults: number;
}

/** Lets all clients write in parallel, and checks repeatedly whether the emulator has the state that their responses report. */
export async function runWrites(
  { gateway, proxy, rows }: ProxiedGateway,
  { seed, clients: count, round, writes, toxics, faults }: WriteRun,
) {
  await gateway.reset({ count: 0 });
  const clients = Array.from({ length: count }, (_, index) => {
    const random = seededRandom(seed + index);
    return { random, client: new WritingClient(gateway, random, `c${index}`, OWN_ENDPOINTS) };
  });
  proxy.setToxics(toxics);
  const untrue: object[] = [];
  for (let made = 0; made < writes; made += count * round) {
    await Promise.all(
      clients.map(async ({ client, random }) => {
        for (let done = 0; done < round; done += 1) {
          const write = client.draw();
          if (random.next() < faults) {
            await gateway.addFault(drawEmulatorFault(random, operationOf[write.kind], write.username));
          }
          await client.perform(write);
        }
      }),
    );
    const held = (await rows()).map(({ username, password }) => `${username} ${password}`).toSorted();
    const reported = clients
      .flatMap(({ client }) => [...client.expected].filter(([, password]) => password !== null))
      .map((entry) => entry.join(" "))
      .toSorted();
    if (JSON.stringify(held) !== JSON.stringify(reported)) {
      untrue.push({
        made,
        extra: held.filter((row) => !reported.includes(row)),
        lost: reported.filter((row) => !held.includes(row)),
      });
    }
  }
  proxy.setToxics([]);
  const all = clients.map(({ client }) => client);
  const requests = (await gateway.upstreamRequests()) as (RecordedRequest & { fault?: string })[];
  const endings: Record<string, number> = {};
  for (const { endings: own } of all) {
    for (const [code, times] of Object.entries(own)) endings[code] = (endings[code] ?? 0) + times;
  }
  const toxicCount = Object.values(proxy.counts.toxics).reduce((sum, times) => sum + times, 0);
  const faulty = requests.filter(({ fault }) => fault).length;
  return {
    endings,
    untrue,
    gone: all.reduce((sum, { gone }) => sum + gone, 0),
    contradictions: all.flatMap(({ contradictions }) => contradictions),
    unknown: (endings.OUTCOME_UNKNOWN ?? 0) / writes,
    toxicShare: (toxicCount + faulty) / proxy.counts.exchanges,
    kinds: new Set([...Object.keys(proxy.counts.toxics), ...requests.flatMap(({ fault }) => fault ?? [])])
      .size,
  };
}

import { setTimeout as pause } from "node:timers/promises";
import type { TestGateway } from "../support/gateway/test-gateway.js";

/** A read as its client saw it; times are of `performance.now()`. */
export interface SeenRead {
  readonly begun: number;
  readonly ended: number;
  /** `ok`, or the code of the error. */
  readonly ending: string;
  readonly message: string | undefined;
}

/** Each client has names of its own, so that clients share no upstream request. */
export const NAMES_EACH = 50;

/** Clients that read one endpoint after another until they are stopped. */
export interface ReadingClients {
  readonly reads: readonly SeenRead[];
  /** Waits until each client has finished its last read. */
  stop(): Promise<void>;
}

/** @param pauseMs milliseconds between two reads of a client */
export function startReading(gateway: TestGateway, clients: number, pauseMs: number): ReadingClients {
  const reads: SeenRead[] = [];
  let stopped = false;
  const all = Array.from({ length: clients }, async (_, client) => {
    for (let round = 1; !stopped; round += 1) {
      const username = `user${String(client * NAMES_EACH + (round % NAMES_EACH) + 1).padStart(4, "0")}`;
      const begun = performance.now();
      const { data, errors } = await gateway.execute<{ sipEndpoint: object | null }>(
        "query ($username: ID!) { sipEndpoint(username: $username) { username } }",
        { username },
      );
      const ending = errors?.[0]?.extensions.code ?? (data.sipEndpoint ? "ok" : "not found");
      reads.push({ begun, ended: performance.now(), ending, message: errors?.[0]?.message });
      await pause(pauseMs);
    }
  });
  return {
    reads,
    async stop() {
      stopped = true;
      await Promise.all(all);
    },
  };
}

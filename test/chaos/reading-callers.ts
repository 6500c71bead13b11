import { setTimeout as pause } from "node:timers/promises";
import type { TestGateway } from "../support/gateway/test-gateway.js";

/** A read as its caller saw it; times are of `performance.now()`. */
export interface SeenRead {
  readonly begun: number;
  readonly ended: number;
  /** `ok`, or the code of the error. */
  readonly ending: string;
  readonly message: string | undefined;
}

/** Callers with names of their own share no call. */
export const NAMES_EACH = 50;

/** Callers who read one endpoint after another until they are told to stop. */
export interface ReadingCallers {
  readonly reads: readonly SeenRead[];
  /** Lets each caller finish its last read. */
  stop(): Promise<void>;
}

/** @param pauseMs how long each caller rests between two reads */
export function startReading(gateway: TestGateway, callers: number, pauseMs: number): ReadingCallers {
  const reads: SeenRead[] = [];
  let stopped = false;
  const all = Array.from({ length: callers }, async (_, caller) => {
    for (let round = 1; !stopped; round += 1) {
      const username = `user${String(caller * NAMES_EACH + (round % NAMES_EACH) + 1).padStart(4, "0")}`;
      const begun = performance.now();
      const { data, errors } = await gateway.ask<{ sipEndpoint: object | null }>(
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

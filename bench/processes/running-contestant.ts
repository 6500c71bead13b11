import type { Contestant, Environment } from "../contestants.js";
import type { ProcessGroup } from "./process-group.js";
import { startServer } from "./server.js";

/** A contestant that has started and responds to requests. */
export class RunningContestant {
  private constructor(
    readonly contestant: Contestant,
    readonly group: ProcessGroup,
    readonly url: string,
    /** Milliseconds from the start of its process to its first response. */
    readonly startMs: number,
  ) {}

  /** Starts a contestant on a free port and waits for its first response to a query for `username`. */
  static async start(
    contestant: Contestant,
    environment: Omit<Environment, "PORT">,
    username: string,
  ): Promise<RunningContestant> {
    const { group, origin, startMs } = await startServer(
      (port) => contestant.command({ ...environment, PORT: port }),
      { path: contestant.path, body: contestant.api.endpointQuery(username) },
    );
    return new RunningContestant(contestant, group, origin + contestant.path, startMs);
  }

  stop(): Promise<void> {
    return this.group.stop();
  }
}

import type { Contestant, Environment } from "../contestants.js";
import { ProcessGroup } from "./process-group.js";
import { freePort, waitForResponse } from "./server.js";

/** A contestant that has started and responds. */
export class RunningContestant {
  private constructor(
    readonly contestant: Contestant,
    readonly group: ProcessGroup,
    readonly url: string,
    /** Milliseconds from the start of its process to its first response. */
    readonly startMs: number,
  ) {}

  /** Starts it on a free port and waits for its first response, about the endpoint of this name. */
  static async start(
    contestant: Contestant,
    environment: Omit<Environment, "PORT">,
    username: string,
  ): Promise<RunningContestant> {
    const port = await freePort();
    const command = contestant.command({ ...environment, PORT: String(port) });
    const url = `http://127.0.0.1:${port}${contestant.path}`;
    const begun = performance.now();
    const group = new ProcessGroup(command);
    try {
      await waitForResponse(group, url, contestant.api.endpointQuery(username));
    } catch (error) {
      await group.stop();
      throw error;
    }
    return new RunningContestant(contestant, group, url, performance.now() - begun);
  }

  stop(): Promise<void> {
    return this.group.stop();
  }
}

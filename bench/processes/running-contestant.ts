import type { Contestant, Told } from "../contestants.js";
import { ProcessGroup } from "./process-group.js";
import { freePort, untilAnswered } from "./server.js";

/** A contestant that answers. */
export class RunningContestant {
  private constructor(
    readonly contestant: Contestant,
    readonly group: ProcessGroup,
    readonly url: string,
    /** Milliseconds from the start of its process to its first answer. */
    readonly startMs: number,
  ) {}

  /** Starts it on a free port and waits for its first answer, about the endpoint of this name. */
  static async start(
    contestant: Contestant,
    told: Omit<Told, "PORT">,
    username: string,
  ): Promise<RunningContestant> {
    const port = await freePort();
    const command = contestant.command({ ...told, PORT: String(port) });
    const url = `http://127.0.0.1:${port}${contestant.path}`;
    const begun = performance.now();
    const group = new ProcessGroup(command);
    try {
      await untilAnswered(group, url, contestant.dialect.one(username));
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

import { ProcessGroup } from "../processes/process-group.js";
import { freePort, untilAnswered } from "../processes/server.js";

/** The emulated PIOPIY, a process of its own. */
export class Upstream {
  private constructor(
    readonly group: ProcessGroup,
    private readonly origin: string,
  ) {}

  /** `endpoints`: how many the account has. */
  static async start(endpoints: number): Promise<Upstream> {
    const port = await freePort();
    const file = new URL("upstream-process.js", import.meta.url).pathname;
    const env = { PORT: String(port), ENDPOINTS: String(endpoints) };
    const group = new ProcessGroup({ file: process.execPath, args: [file], env });
    const upstream = new Upstream(group, `http://127.0.0.1:${port}`);
    await untilAnswered(group, `${upstream.url}get_sip`, "{}");
    return upstream;
  }

  /** The base address of the five calls. */
  get url(): string {
    return `${this.origin}/v1/endpoint/`;
  }

  async change(settings: UpstreamSettings): Promise<void> {
    await this.#control("PUT", "/settings", JSON.stringify(settings));
  }

  /** How many calls were made while `work` went on, and what it gave back. */
  async count<T>(work: () => Promise<T>): Promise<{ calls: number; result: T }> {
    await this.#control("DELETE", "/calls");
    const result = await work();
    const calls = (await this.#control("GET", "/calls")) as Calls;
    return { calls: Object.values(calls).reduce((sum, count) => sum + count, 0), result };
  }

  async #control(method: string, path: string, body?: string): Promise<unknown> {
    const response = await fetch(this.origin + path, { method, ...(body === undefined ? {} : { body }) });
    return response.json();
  }
}

/** What the emulated PIOPIY can be told while it runs. */
export interface UpstreamSettings {
  /** Milliseconds between a call and its answer. */
  readonly delayMs?: number;
  /** How many endpoints the account has. */
  readonly endpoints?: number;
}

/** How often each call was made since the counts were last cleared; calls that were never made are absent. */
export type Calls = Readonly<Record<string, number>>;

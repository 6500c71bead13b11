import { freePort } from "../processes/free-port.js";
import { ProcessGroup } from "../processes/process-group.js";
import { untilAnswered } from "../processes/server.js";
import type { Calls, UpstreamSettings } from "./settings.js";

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

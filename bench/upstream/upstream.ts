import { ProcessGroup } from "../processes/process-group.js";
import { freePort, waitForResponse } from "../processes/server.js";

/** The emulated PIOPIY, a process of its own. */
export class Upstream {
  private constructor(
    readonly group: ProcessGroup,
    private readonly origin: string,
  ) {}

  /** @param endpoints how many the account has */
  static async start(endpoints: number): Promise<Upstream> {
    const port = await freePort();
    const file = new URL("upstream-process.js", import.meta.url).pathname;
    const env = { PORT: String(port), ENDPOINTS: String(endpoints) };
    const group = new ProcessGroup({ file: process.execPath, args: [file], env });
    const upstream = new Upstream(group, `http://127.0.0.1:${port}`);
    await waitForResponse(group, `${upstream.url}get_sip`, "{}");
    return upstream;
  }

  /** The base address of the five operations. */
  get url(): string {
    return `${this.origin}/v1/endpoint/`;
  }

  async configure(settings: UpstreamSettings): Promise<void> {
    await this.#control("PUT", "/settings", JSON.stringify(settings));
  }

  /** Counts the upstream requests while `work` runs. */
  async countRequests<T>(work: () => Promise<T>): Promise<{ requests: number; result: T }> {
    await this.#control("DELETE", "/requests");
    const result = await work();
    const counts = (await this.#control("GET", "/requests")) as RequestCounts;
    return { requests: Object.values(counts).reduce((sum, count) => sum + count, 0), result };
  }

  async #control(method: string, path: string, body?: string): Promise<unknown> {
    const response = await fetch(this.origin + path, { method, ...(body === undefined ? {} : { body }) });
    return response.json();
  }
}

/** Settings that can change while the emulated PIOPIY runs. */
export interface UpstreamSettings {
  /** Milliseconds between a request and its response. */
  readonly delayMs?: number;
  /** How many endpoints the account has. */
  readonly endpoints?: number;
}

/** Requests by operation since the last reset; operations without one are absent. */
export type RequestCounts = Readonly<Record<string, number>>;

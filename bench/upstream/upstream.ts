import type { ProcessGroup } from "../processes/process-group.js";
import { startServer } from "../processes/server.js";

const BASE_PATH = "/v1/endpoint/";

/** Runs the emulated PIOPIY in a process of its own. */
export class Upstream {
  private constructor(
    readonly group: ProcessGroup,
    private readonly origin: string,
  ) {}

  /** @param endpoints number of endpoints of the account */
  static async start(endpoints: number): Promise<Upstream> {
    const file = new URL("upstream-process.js", import.meta.url).pathname;
    const { group, origin } = await startServer(
      (port) => ({
        file: process.execPath,
        args: [file],
        env: { PORT: port, ENDPOINTS: String(endpoints) },
      }),
      { path: `${BASE_PATH}get_sip`, body: "{}" },
    );
    return new Upstream(group, origin);
  }

  /** The base address of the five operations. */
  get url(): string {
    return this.origin + BASE_PATH;
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
  /** Number of endpoints of the account. */
  readonly endpoints?: number;
}

/** Number of requests by operation since the last reset. Operations without requests are absent. */
export type RequestCounts = Readonly<Record<string, number>>;

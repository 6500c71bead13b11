import { Agent as HttpAgent, type RequestOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";

/** What a request is made with: a part of got's options. */
interface Options {
  readonly url?: URL | string | undefined;
  readonly method: string;
  readonly headers: RequestOptions["headers"];
  createNativeRequestOptions(): object;
}

/** The connections to PIOPIY, which are kept for further requests. */
export class Connections {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  /**
   * A handler of got's that has a request made on one of the connections. By itself got gathers thirty options for Node.js,
   * most of them undefined, and makes 23 kB of garbage thereby; these are all that a call needs.
   */
  readonly use = <O extends Options, T>(options: O, next: (options: O) => T): T => {
    options.createNativeRequestOptions = () => {
      const { url, method, headers } = options;
      const agent = url instanceof URL && url.protocol === "https:" ? this.#https : this.#http;
      return { method, headers, agent };
    };
    return next(options);
  };

  /** Closes the connections, also those in use. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

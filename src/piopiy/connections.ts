import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** The connections to PIOPIY, which are kept for further requests. */
export class Connections {
  readonly #http = new HttpAgent({ keepAlive: true });
  readonly #https = new HttpsAgent({ keepAlive: true });

  /** Begins a request. Of the thirty options that got hands on, only these are set, and Node.js would copy all of them twice. */
  readonly begin = (
    url: URL,
    { method, headers }: Pick<RequestOptions, "method" | "headers">,
  ): ClientRequest => {
    return url.protocol === "https:"
      ? httpsRequest(url, { method, headers, agent: this.#https })
      : httpRequest(url, { method, headers, agent: this.#http });
  };

  /** Closes the connections, also those in use. */
  close(): void {
    this.#http.destroy();
    this.#https.destroy();
  }
}

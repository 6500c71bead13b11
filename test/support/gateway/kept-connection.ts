import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";

/** A worker that dies takes connections with it that it has not accepted yet, so a request may stay unanswered. */
const PATIENCE_MS = 60_000;

/** One connection to a gateway that stays open, so that one worker answers all that is asked over it. */
export class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly origin: string) {}

  /** Sends an operation at once, and resolves with its data, or rejects when it has errors. */
  async ask<Data>(query: string, requestId: string = randomUUID()): Promise<Data> {
    const asking = request(`${this.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": requestId },
      agent: this.#agent,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    asking.end(JSON.stringify({ query }));
    const [response] = await once(asking, "response");
    const text = Buffer.concat(await response.toArray()).toString();
    const { data, errors } = JSON.parse(text);
    if (errors) throw new Error(text);
    return data;
  }

  async has(username: string): Promise<boolean> {
    const query = `{ sipEndpoint(username: "${username}") { username } }`;
    return (await this.ask<{ sipEndpoint: unknown }>(query)).sipEndpoint !== null;
  }

  async write(mutation: "createSipEndpoint" | "removeSipEndpoint", username: string): Promise<void> {
    await this.ask(`mutation { ${mutation}(input: { username: "${username}" }) { userErrors { code } } }`);
  }

  close(): void {
    this.#agent.destroy();
  }
}

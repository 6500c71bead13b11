import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:http";

/** When a worker dies, connections that it has not accepted yet are lost, so a request may get no response. */
const TIMEOUT_MS = 60_000;

/** Connection to a gateway that stays open, so that one worker handles all of its requests. */
export class KeptConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(private readonly origin: string) {}

  /** Sends an operation and returns its data. Throws if the response has errors. */
  async execute<Data>(query: string, requestId: string = randomUUID()): Promise<Data> {
    const sent = request(`${this.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-request-id": requestId },
      agent: this.#agent,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    sent.end(JSON.stringify({ query }));
    const [response] = await once(sent, "response");
    const text = Buffer.concat(await response.toArray()).toString();
    const { data, errors } = JSON.parse(text);
    if (errors) throw new Error(text);
    return data;
  }

  async has(username: string): Promise<boolean> {
    const query = `{ sipEndpoint(username: "${username}") { username } }`;
    return (await this.execute<{ sipEndpoint: unknown }>(query)).sipEndpoint !== null;
  }

  async write(mutation: "createSipEndpoint" | "removeSipEndpoint", username: string): Promise<void> {
    await this.execute(
      `mutation { ${mutation}(input: { username: "${username}" }) { userErrors { code } } }`,
    );
  }

  close(): void {
    this.#agent.destroy();
  }
}

import { setTimeout as pause } from "node:timers/promises";
import type { TestGateway } from "../support/gateway/test-gateway.js";
import type { SeededRandom } from "./seeded-random.js";

export interface Write {
  readonly kind: "create" | "update" | "remove";
  readonly username: string;
  /** Null lets the gateway generate one. */
  readonly password: string | null;
  readonly idempotencyKey: string;
}

/** The outcome of a write: success with the password in the response, or an error code. */
type Ending =
  | { readonly done: true; readonly password: string | null }
  | { readonly done: false; readonly code: string; readonly waitMs: number };

export const operationOf = { create: "add_sip", update: "update_sip", remove: "remove_sip" } as const;

const documents = {
  create:
    "mutation ($input: CreateSipEndpointInput!) { write: createSipEndpoint(input: $input) { password userErrors { code } } }",
  update:
    "mutation ($input: UpdateSipEndpointInput!) { write: updateSipEndpoint(input: $input) { password userErrors { code } } }",
  remove:
    "mutation ($input: RemoveSipEndpointInput!) { write: removeSipEndpoint(input: $input) { username userErrors { code } } }",
};
/** More repetitions than necessary, each after the `retryAfterMs` of the error before. */
const MAX_REPETITIONS = 300;

/** Writes endpoints of its own, and tracks their state by the responses. */
export class WritingClient {
  /** The password of each endpoint, according to the responses; null when there is none. */
  readonly expected = new Map<string, string | null>();
  /** Responses that contradict earlier ones. */
  readonly contradictions: string[] = [];
  /** How often each outcome occurred at a first attempt, by its code. */
  readonly endings: Record<string, number> = {};
  /** Successful removals of endpoints that were gone according to earlier responses. */
  gone = 0;
  readonly #gateway: TestGateway;
  readonly #random: SeededRandom;
  readonly #name: string;
  #writes = 0;

  constructor(gateway: TestGateway, random: SeededRandom, name: string, endpoints: number) {
    this.#gateway = gateway;
    this.#random = random;
    this.#name = name;
    for (let number = 1; number <= endpoints; number += 1) this.expected.set(`${name}-${number}`, null);
  }

  /** Returns a write for one of its endpoints: usually one that should succeed, sometimes one that should not. */
  draw(): Write {
    const username = this.#random.pick([...this.expected.keys()]);
    const sensible =
      this.expected.get(username) === null
        ? (["create"] as const)
        : (["update", "update", "remove"] as const);
    const kind =
      this.#random.next() < 0.85
        ? this.#random.pick(sensible)
        : this.#random.pick(["create", "update", "remove"] as const);
    this.#writes += 1;
    const unique = `${this.#name}.${this.#writes}.${this.#random.whole(0, 1e9)}`;
    return {
      kind,
      username,
      password: this.#random.next() < 0.5 ? `word ${unique}` : null,
      idempotencyKey: `key-${unique}`,
    };
  }

  /** Sends the write, repeats it while its outcome is unknown, and records the outcome. */
  async perform(write: Write): Promise<void> {
    let ending = await this.#send(write);
    const name = ending.done ? "done" : ending.code;
    this.endings[name] = (this.endings[name] ?? 0) + 1;
    const isRepeated = name === "OUTCOME_UNKNOWN";
    for (let repeated = 0; isRepeated && isOpen(ending); repeated += 1) {
      if (repeated === MAX_REPETITIONS)
        throw new Error(`The outcome stays unknown: ${JSON.stringify(write)}`);
      if (!ending.done) await pause(ending.waitMs);
      ending = await this.#send(write);
    }
    this.#compare(write, ending, isRepeated);
  }

  async #send({ kind, username, password, idempotencyKey }: Write): Promise<Ending> {
    const input = {
      username,
      ...(kind !== "remove" && { password }),
      ...(kind === "create" && { idempotencyKey }),
    };
    const { data, errors } = await this.#gateway.execute<{
      write: { password?: string; userErrors: { code: string }[] };
    }>(documents[kind], { input });
    const waitMs = Number(errors?.[0]?.extensions.retryAfterMs ?? 0);
    const code = errors?.[0]?.extensions.code ?? data.write.userErrors[0]?.code;
    return code ? { done: false, code, waitMs } : { done: true, password: data.write.password ?? null };
  }

  #compare(write: Write, ending: Ending, isRepeated: boolean): void {
    const { kind, username, password } = write;
    const isThere = this.expected.get(username) !== null;
    const report = (text: string) =>
      this.contradictions.push(`${text}: ${JSON.stringify({ write, ending, isRepeated, isThere })}`);
    if (ending.done) {
      if (kind === "create" && isThere) report("created an endpoint that exists already");
      if (kind === "update" && !isThere) report("updated an endpoint that does not exist");
      if (kind !== "remove" && ending.password !== (password ?? ending.password))
        report("set another password");
      if (kind === "remove" && !isThere) this.gone += 1;
      this.expected.set(username, ending.password);
      return;
    }
    if (ending.code === "USERNAME_TAKEN" && !isThere) report("USERNAME_TAKEN for a free username");
    // An endpoint that the first attempt has removed is not found by the second.
    const isGone = kind === "remove" && isRepeated;
    if (ending.code === "SIP_ENDPOINT_NOT_FOUND" && isThere && !isGone)
      report("SIP_ENDPOINT_NOT_FOUND for an existing endpoint");
    if (ending.code === "SIP_ENDPOINT_NOT_FOUND" && isGone) this.expected.set(username, null);
  }
}

/** Returns whether the outcome of the write is still unknown after a repetition. */
function isOpen(ending: Ending): boolean {
  return !ending.done && /^(UPSTREAM|OUTCOME)_/.test(ending.code);
}

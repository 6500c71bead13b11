import { setTimeout as pause } from "node:timers/promises";
import type { TestGateway } from "../support/gateway/test-gateway.js";
import type { SeededRandom } from "./seeded-random.js";

export interface Write {
  readonly kind: "create" | "update" | "remove";
  readonly username: string;
  /** Null has one made. */
  readonly password: string | null;
  readonly idempotencyKey: string;
}

/** How a write ended: done, with the password that was told, or a code. */
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
/** More repetitions than any honest gateway needs, each after the time that it asks for. */
const PATIENCE = 300;

/** Writes endpoints of its own, and believes what it is told. */
export class WritingCaller {
  /** The password of each endpoint, as told; null when there is none. */
  readonly beliefs = new Map<string, string | null>();
  /** Answers that contradict what was told before. */
  readonly lies: string[] = [];
  /** How often each answer came to a first attempt, by its code. */
  readonly endings: Record<string, number> = {};
  /** Removals that were told to have succeeded of endpoints that it believed gone. */
  gone = 0;
  readonly #gateway: TestGateway;
  readonly #random: SeededRandom;
  readonly #name: string;
  #writes = 0;

  constructor(gateway: TestGateway, random: SeededRandom, name: string, endpoints: number) {
    this.#gateway = gateway;
    this.#random = random;
    this.#name = name;
    for (let number = 1; number <= endpoints; number += 1) this.beliefs.set(`${name}-${number}`, null);
  }

  /** A write for one of its endpoints: most often one that should succeed, at times one that should not. */
  draw(): Write {
    const username = this.#random.pick([...this.beliefs.keys()]);
    const sensible =
      this.beliefs.get(username) === null ? (["create"] as const) : (["update", "update", "remove"] as const);
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

  /** Makes the write, repeats it while its outcome is unknown, and notes what it was told. */
  async perform(write: Write): Promise<void> {
    let ending = await this.#send(write);
    const name = ending.done ? "done" : ending.code;
    this.endings[name] = (this.endings[name] ?? 0) + 1;
    const isRepeated = name === "OUTCOME_UNKNOWN";
    for (let repeated = 0; isRepeated && isOpen(ending); repeated += 1) {
      if (repeated === PATIENCE) throw new Error(`no answer to ${JSON.stringify(write)}`);
      if (!ending.done) await pause(ending.waitMs);
      ending = await this.#send(write);
    }
    this.#judge(write, ending, isRepeated);
  }

  async #send({ kind, username, password, idempotencyKey }: Write): Promise<Ending> {
    const input = {
      username,
      ...(kind !== "remove" && { password }),
      ...(kind === "create" && { idempotencyKey }),
    };
    const { data, errors } = await this.#gateway.ask<{
      write: { password?: string; userErrors: { code: string }[] };
    }>(documents[kind], { input });
    const waitMs = Number(errors?.[0]?.extensions.retryAfterMs ?? 0);
    const code = errors?.[0]?.extensions.code ?? data.write.userErrors[0]?.code;
    return code ? { done: false, code, waitMs } : { done: true, password: data.write.password ?? null };
  }

  #judge(write: Write, ending: Ending, isRepeated: boolean): void {
    const { kind, username, password } = write;
    const isThere = this.beliefs.get(username) !== null;
    const lie = (text: string) =>
      this.lies.push(`${text}: ${JSON.stringify({ write, ending, isRepeated, isThere })}`);
    if (ending.done) {
      if (kind === "create" && isThere) lie("an endpoint was made that is there already");
      if (kind === "update" && !isThere) lie("an endpoint was updated that is not there");
      if (kind !== "remove" && ending.password !== (password ?? ending.password))
        lie("another password was set");
      if (kind === "remove" && !isThere) this.gone += 1;
      this.beliefs.set(username, ending.password);
      return;
    }
    if (ending.code === "USERNAME_TAKEN" && !isThere) lie("a name is taken that was free");
    // An endpoint that the first attempt has removed is not found by the second.
    const isGone = kind === "remove" && isRepeated;
    if (ending.code === "SIP_ENDPOINT_NOT_FOUND" && isThere && !isGone)
      lie("an endpoint is not found that is there");
    if (ending.code === "SIP_ENDPOINT_NOT_FOUND" && isGone) this.beliefs.set(username, null);
  }
}

/** Whether a repetition has not told yet what became of the write. */
function isOpen(ending: Ending): boolean {
  return !ending.done && /^(UPSTREAM|OUTCOME)_/.test(ending.code);
}

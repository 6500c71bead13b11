import { hash, randomUUID } from "node:crypto";

/** More changed subjects than this are forgotten together: everything then counts as changed. */
export const MAX_CHANGED = 10_000;

/** What a read is about: one endpoint, by a hash of its name, or the list of all. */
export type Subject = "list" | `endpoint ${string}`;

/** The subject of an endpoint, of a fixed size whatever its name. UTF-16, since in UTF-8 all lone surrogates are alike. */
export function endpointSubject(username: string): Subject {
  return `endpoint ${hash("sha256", Buffer.from(username, "utf16le"), "base64url").slice(0, 22)}`;
}

/**
 * The version of each thing that PIOPIY is asked about, as far as this gateway knows. Reads are kept and shared under the
 * version that was current when they began: a change makes a new one, so nobody asks for them any more, however late they
 * come in.
 */
export class Versions {
  readonly #changed = new Map<string, string>();
  /** The version of whatever has not changed. */
  #unchanged: string = randomUUID();
  #changes = 0;

  /** Another number after each change of anything. */
  get changes(): number {
    return this.#changes;
  }

  of(subject: Subject): string {
    return this.#changed.get(subject) ?? this.#unchanged;
  }

  /** The version of whatever has not changed since the last reset. */
  get ofUnchanged(): string {
    return this.#unchanged;
  }

  change(subject: string, version: string = randomUUID()): void {
    if (this.#changed.size >= MAX_CHANGED && !this.#changed.has(subject)) this.reset();
    this.#changed.set(subject, version);
    this.#changes++;
  }

  /** Makes everything another version, or those that are given. */
  reset(unchanged: string = randomUUID(), changed: Iterable<readonly [string, string]> = []): void {
    this.#unchanged = unchanged;
    this.#changed.clear();
    for (const [subject, version] of changed) this.#changed.set(subject, version);
    this.#changes++;
  }
}

import { hash, randomUUID } from "node:crypto";

/** More changed subjects than this are forgotten together: everything then counts as changed. */
export const MAX_CHANGED = 10_000;

/** What is read or changed: one endpoint, by a hash of its name, or the list of all. */
export type Subject = "list" | `endpoint ${string}`;

/** Returns the subject of an endpoint, of a fixed size whatever its name. UTF-16, since in UTF-8 all lone surrogates are alike. */
export function endpointSubject(username: string): Subject {
  return `endpoint ${hash("sha256", Buffer.from(username, "utf16le"), "base64url").slice(0, 22)}`;
}

/**
 * The versions of endpoints and of the list, as far as this process has heard. Reads are cached and shared under the version that was
 * current when they began: a change makes a new version, so nobody finds them any more, however late their response comes.
 */
export class Versions {
  readonly #changed = new Map<string, string>();
  /** The version of all that has not changed. */
  #base: string = randomUUID();
  #changes = 0;

  /** Another number after each change of anything. */
  get changes(): number {
    return this.#changes;
  }

  of(subject: Subject): string {
    return this.#changed.get(subject) ?? this.#base;
  }

  /** The version of all that has not changed since the last reset. */
  get base(): string {
    return this.#base;
  }

  change(subject: string, version: string = randomUUID()): void {
    if (this.#changed.size >= MAX_CHANGED && !this.#changed.has(subject)) this.reset();
    this.#changed.set(subject, version);
    this.#changes++;
  }

  /** Makes everything another version, or those that are given. */
  reset(base: string = randomUUID(), changed: Iterable<readonly [string, string]> = []): void {
    this.#base = base;
    this.#changed.clear();
    for (const [subject, version] of changed) this.#changed.set(subject, version);
    this.#changes++;
  }
}

import { hash, randomUUID } from "node:crypto";
import type { Layer } from "../pipeline/pipeline.js";

/** More changed subjects than this are forgotten together: everything then counts as changed. */
export const MAX_CHANGED = 10_000;

/**
 * Returns the subject of reads and changes of an endpoint: a hash of its name, of a fixed size. UTF-16, since in UTF-8 all lone
 * surrogates are alike.
 */
export function endpointSubject(username: string): string {
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

  of(subject: string): string {
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

/** Publishes to all processes of a gateway what was changed, and hears what others have changed. */
export interface Invalidation {
  /** Whether this process has heard all changes of the others until about now. While it has not, it caches nothing. */
  readonly isCurrent: boolean;
  /** Publishes a change, also to this process. Ends when the others have heard it, or cannot; never fails. */
  publish(subjects: readonly string[]): Promise<void>;
  close(): void;
}

/** The invalidation of a process that is alone, or that hears of no changes but its own. */
export class LocalInvalidation implements Invalidation {
  readonly isCurrent: boolean;
  readonly #versions: Versions;

  /** @param isAlone whether no other process makes changes */
  constructor(versions: Versions, isAlone: boolean) {
    this.#versions = versions;
    this.isCurrent = isAlone;
  }

  async publish(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) this.#versions.change(subject);
  }

  close(): void {}
}

/** Invalidates what a write may have changed, whatever its outcome. */
export function invalidate(invalidation: Invalidation): Layer {
  return (next) => async (request) => {
    let changesList = request.operation !== "update_sip";
    try {
      const response = await next(request);
      // The list may still have an endpoint that was removed elsewhere.
      changesList ||= response.value === null;
      return response;
    } finally {
      await invalidation.publish(changesList ? [request.subject, "list"] : [request.subject]);
    }
  };
}

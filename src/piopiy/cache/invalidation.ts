import { hash, randomUUID } from "node:crypto";
import type { Layer } from "../pipeline/pipeline.js";

/** The maximum number of changed subjects that are stored. Beyond it they are all dropped, and everything counts as changed. */
export const MAX_CHANGED = 10_000;

/**
 * Returns the subject of an endpoint, for its reads and changes: a hash of its name. The hash is over UTF-16, since UTF-8 encodes
 * all lone surrogates alike.
 */
export function endpointSubject(username: string): string {
  return `endpoint ${hash("sha256", Buffer.from(username, "utf16le"), "base64url").slice(0, 22)}`;
}

/**
 * The versions of the endpoints and of the list, as far as this process has received changes. Reads are cached and shared under the
 * version that was current when they began. A change creates a new version, so an older read is never served, however late its
 * response arrives.
 */
export class Versions {
  readonly #changed = new Map<string, string>();
  /** The version of every subject that has not changed. */
  #base: string = randomUUID();
  #changes = 0;

  /** A number that grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  of(subject: string): string {
    return this.#changed.get(subject) ?? this.#base;
  }

  /** The version of every subject that has not changed since the last reset. */
  get base(): string {
    return this.#base;
  }

  change(subject: string, version: string = randomUUID()): void {
    if (this.#changed.size >= MAX_CHANGED && !this.#changed.has(subject)) this.reset();
    this.#changed.set(subject, version);
    this.#changes++;
  }

  /** Replaces all versions, by a new one or by those that are passed. */
  reset(base: string = randomUUID(), changed: Iterable<readonly [string, string]> = []): void {
    this.#base = base;
    this.#changed.clear();
    for (const [subject, version] of changed) this.#changed.set(subject, version);
    this.#changes++;
  }
}

/** Publishes changes to all processes of a gateway, and receives those of the others. */
export interface Invalidation {
  /** Whether this process has received all changes of the others until about now. While it has not, it caches nothing. */
  readonly isCurrent: boolean;
  /** Publishes a change, also to this process. Resolves when the others have received it or cannot be reached; never rejects. */
  publish(subjects: readonly string[]): Promise<void>;
  close(): void;
}

/** The invalidation of a process that runs alone, or that receives no changes but its own. */
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

/** Invalidates everything that a write may have changed, whatever its outcome. */
export function invalidate(invalidation: Invalidation): Layer {
  return (next) => async (request) => {
    let changesList = request.operation !== "update_sip";
    try {
      const response = await next(request);
      // The list may still contain an endpoint that was removed outside the gateway.
      changesList ||= response.value === null;
      return response;
    } finally {
      await invalidation.publish(changesList ? [request.subject, "list"] : [request.subject]);
    }
  };
}

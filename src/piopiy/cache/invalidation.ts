import { hash, randomUUID } from "node:crypto";
import type { Layer } from "../pipeline/pipeline.js";

/**
 * The maximum number of changed subjects that are stored. If there are more, all are dropped, and every subject counts as
 * changed.
 */
export const MAX_CHANGED = 10_000;

/**
 * Returns the subject of an endpoint: the name under which its reads are cached and its changes are published. It is a hash of the
 * username in UTF-16, since UTF-8 encodes all lone surrogates alike.
 */
export function endpointSubject(username: string): string {
  return `endpoint ${hash("sha256", Buffer.from(username, "utf16le"), "base64url").slice(0, 22)}`;
}

/**
 * The versions of the endpoints and of the list, as far as this process has received changes. Reads are cached and shared under the
 * version that was current when they began. A change creates a new version, so a read that began before the change is
 * never served after it, even if its response arrives later.
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

  /** Replaces all versions: by one new version, or by the versions that are passed. */
  reset(base: string = randomUUID(), changed: Iterable<readonly [string, string]> = []): void {
    this.#base = base;
    this.#changed.clear();
    for (const [subject, version] of changed) this.#changed.set(subject, version);
    this.#changes++;
  }
}

/** Publishes changes to all processes of a gateway, and receives the changes of other processes. */
export interface Invalidation {
  /** Whether this process receives the changes of all other processes. While it does not, it caches nothing. */
  readonly isCurrent: boolean;
  /**
   * Publishes a change to all processes, including this one. Resolves when they have received it or cannot be reached. Never
   * rejects.
   */
  publish(subjects: readonly string[]): Promise<void>;
  close(): void;
}

/** The invalidation of a process that runs alone, or that receives only its own changes. */
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

/** Invalidates all subjects that a write may have changed, whatever the outcome of the write. */
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

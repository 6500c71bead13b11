import type { Layer } from "../pipeline/pipeline.js";
import type { Subject, Versions } from "./versions.js";

/** Publishes to all processes of a gateway what was changed, and hears what others have changed. */
export interface Invalidation {
  /** Whether this process has heard all changes of the others until about now. While it has not, it caches nothing. */
  readonly isCurrent: boolean;
  /** Publishes a change, also to this process. Ends when the others have heard it, or cannot; never fails. */
  publish(subjects: readonly Subject[]): Promise<void>;
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

  async publish(subjects: readonly Subject[]): Promise<void> {
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

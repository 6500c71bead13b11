import type { Changes } from "./invalidation.js";
import type { Subject, Versions } from "./versions.js";

/** The changes of a process that is alone, or that hears of no changes but its own. */
export class OwnChanges implements Changes {
  readonly isCurrent: boolean;
  readonly #versions: Versions;

  /** @param isAlone whether no other process makes changes */
  constructor(versions: Versions, isAlone: boolean) {
    this.#versions = versions;
    this.isCurrent = isAlone;
  }

  async announce(subjects: readonly Subject[]): Promise<void> {
    for (const subject of subjects) this.#versions.change(subject);
  }

  close(): void {}
}

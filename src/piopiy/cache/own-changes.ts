import type { Changes } from "./changes.js";
import type { Subject, Versions } from "./versions.js";

/** The changes of a process that is alone. */
export class OwnChanges implements Changes {
  readonly isCurrent = true;
  readonly #versions: Versions;

  constructor(versions: Versions) {
    this.#versions = versions;
  }

  async announce(subjects: readonly Subject[]): Promise<void> {
    for (const subject of subjects) this.#versions.change(subject);
  }

  close(): void {}
}

import type { Subject } from "./versions.js";

/** How the processes of a gateway tell each other what they have changed. */
export interface Changes {
  /** Whether this process knows all changes that others have made until about now. While it does not, it keeps nothing. */
  readonly isCurrent: boolean;
  /** Makes a change known, also to this process. Ends when the others have been told or cannot be; never fails. */
  announce(subjects: readonly Subject[]): Promise<void>;
  close(): void;
}

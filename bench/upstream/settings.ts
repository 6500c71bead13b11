/** What the emulated PIOPIY can be told while it runs. */
export interface UpstreamSettings {
  /** Milliseconds between a call and its answer. */
  readonly delayMs?: number;
  /** How many endpoints the account has. */
  readonly endpoints?: number;
}

/** How often each call was made since the counts were last cleared; calls that were never made are absent. */
export type Calls = Readonly<Record<string, number>>;

import { MAX_ATTEMPTS, pause } from "./gateway.js";

/** Small enough to show progress. The gateway grants its deadline for each 50 items that it starts. */
const BATCH_SIZE = 50;
const FIRST_WAIT_MS = 1000;

/** The result of one item of a bulk mutation. */
export interface BatchResult {
  readonly username: string;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly retryable: boolean;
  } | null;
}

/**
 * Sends items in batches, and yields the results of each response immediately. Items that failed with a retryable error are sent
 * again, a few times, and their results are yielded when they are final. Stops early when all items of a batch have failed with
 * retryable errors to the last attempt, and when the signal is aborted: the remaining items then have no result.
 *
 * @param send sends a batch, and returns the results in the order of the items
 */
export async function* sendInBatches<Item, Result extends BatchResult>(
  items: readonly Item[],
  send: (batch: readonly Item[]) => Promise<readonly Result[]>,
  signal: AbortSignal,
): AsyncGenerator<readonly (readonly [item: Item, result: Result])[]> {
  for (let start = 0; start < items.length; start += BATCH_SIZE) {
    const batch = items.slice(start, start + BATCH_SIZE);
    let pending: readonly Item[] = batch;
    for (let attempt = 1; pending.length > 0; attempt++) {
      if (signal.aborted) return;
      const sent = pending;
      const results = (await send(sent)).map((result, index) => [sent[index] as Item, result] as const);
      const isLast = attempt === MAX_ATTEMPTS;
      const failing = results.filter(([, { error }]) => error?.retryable);
      yield isLast ? results : results.filter(([, { error }]) => !error?.retryable);
      if (isLast && failing.length === batch.length) return;
      pending = isLast ? [] : failing.map(([item]) => item);
      if (pending.length > 0) await pause(FIRST_WAIT_MS * 2 ** (attempt - 1), signal);
    }
  }
}

/** Formats the reasons for which an item failed. */
export function formatFailure({ userErrors, error }: BatchResult): string {
  const reasons = [...userErrors, ...(error ? [error] : [])];
  return reasons.map(({ code, message }) => `${message} (${code})`).join(" ");
}

const MOST_REASONS = 50;

/** An answer URL that gave no document to follow. Each reason is one sentence; very many are cut off. */
export class AnswerError extends Error {
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super("The answer URL gave no document that the call can follow.");
    const more = reasons.length - MOST_REASONS;
    this.reasons = more > 0 ? [...reasons.slice(0, MOST_REASONS), `There are ${more} more.`] : reasons;
  }
}

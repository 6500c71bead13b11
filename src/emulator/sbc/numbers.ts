/** The phone numbers of the account, each with its answer URL. They are in memory, and lost when the emulator stops. */
export class Numbers {
  private readonly answerUrls = new Map<number, string>();

  /** Adds a number, or replaces its answer URL. */
  put(number: number, answerUrl: string): void {
    this.answerUrls.set(number, answerUrl);
  }

  answerUrlOf(number: number): string | undefined {
    return this.answerUrls.get(number);
  }

  /** Lists the numbers in the order in which they were added. */
  list(): { number: number; answerUrl: string }[] {
    return Array.from(this.answerUrls, ([number, answerUrl]) => ({ number, answerUrl }));
  }

  clear(): void {
    this.answerUrls.clear();
  }
}

/** Returns the phone number in the user part of a SIP URI, with or without a plus sign, or undefined for any other text. */
export function phoneNumberIn(user: string): number | undefined {
  return /^\+?[1-9]\d{0,14}$/.test(user) ? Number(user) : undefined;
}

const PAGE_SIZE = 10;

/**
 * The endpoints `user-1` to `user-<count>`, which cost no memory however many they are, and those that were changed
 * or created since the start.
 */
export class Account {
  readonly #changed = new Map<string, string>();

  constructor(public count: number) {}

  /** Undefined when there is no endpoint of that name. */
  password(username: string): string | undefined {
    const changed = this.#changed.get(username);
    if (changed !== undefined) return changed;
    const number = username.startsWith("user-") ? Number(username.slice(5)) : 0;
    return number >= 1 && number <= this.count ? `made-up-${number}` : undefined;
  }

  keep(username: string, password: string): void {
    this.#changed.set(username, password);
  }

  /** Takes away what `keep` brought; the numbered endpoints stay. */
  drop(username: string): void {
    this.#changed.delete(username);
  }

  /** The names of a page, counted from 1; past the end there are none. */
  page(page: number): string[] {
    const first = (page - 1) * PAGE_SIZE;
    const length = Math.max(0, Math.min(PAGE_SIZE, this.count - first));
    return Array.from({ length }, (_, row) => `user-${first + row + 1}`);
  }
}

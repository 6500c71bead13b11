import DataLoader from "dataloader";
import type { Budget } from "./budget.js";
import type { PiopiyClient } from "./client.js";
import type { Credentials, SipEndpointPage, SipEndpointRecord } from "./wire.js";

/**
 * PIOPIY as one GraphQL operation sees it: what it has asked once it does not ask again, and what it writes
 * it sees. PIOPIY knows no bulk call, so this removes double asking and nothing else; one name may fail while
 * others succeed. It must not outlive its operation, since it never forgets what it read.
 */
export class PiopiyLoader {
  readonly #client: PiopiyClient;
  readonly #budget: Budget;
  readonly #endpoints: DataLoader<string, SipEndpointRecord | null>;
  readonly #pages: DataLoader<number, SipEndpointPage>;

  constructor(client: PiopiyClient, budget: Budget) {
    this.#client = client;
    this.#budget = budget;
    const alone = { batch: false };
    this.#endpoints = new DataLoader(async ([name = ""]) => [await client.getSip(name, budget)], alone);
    this.#pages = new DataLoader(async ([page = 1]) => [await client.listSip(page, budget)], alone);
  }

  /** Null when PIOPIY has no endpoint of that name. */
  find(username: string): Promise<SipEndpointRecord | null> {
    return this.#endpoints.load(username);
  }

  /** Pages count from 1 and hold ten rows; past the end they are empty. */
  page(page: number): Promise<SipEndpointPage> {
    return this.#pages.load(page);
  }

  /** Makes the next look at the list a fresh one. */
  forgetPages(): void {
    this.#pages.clearAll();
  }

  /** Null when the name is taken. */
  async create(credentials: Credentials): Promise<SipEndpointRecord | null> {
    const created = await this.#changing(
      credentials.username,
      this.#client.addSip(credentials, this.#budget),
    );
    if (created) this.#endpoints.prime(created.username, created);
    return created;
  }

  /** Sets a new password. Null when PIOPIY has no endpoint of that name. */
  update(credentials: Credentials): Promise<Credentials | null> {
    return this.#changing(credentials.username, this.#client.updateSip(credentials, this.#budget));
  }

  /** Null when PIOPIY has no endpoint of that name. */
  remove(username: string): Promise<{ username: string } | null> {
    return this.#changing(username, this.#client.removeSip(username, this.#budget));
  }

  /** Whatever becomes of a write, what was read before it is no longer known to be true. */
  async #changing<T>(username: string, write: Promise<T>): Promise<T> {
    try {
      return await write;
    } finally {
      this.#endpoints.clear(username);
      this.forgetPages();
    }
  }
}

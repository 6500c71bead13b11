import DataLoader from "dataloader";
import type { Budget } from "./budget.js";
import type { PiopiyClient } from "./client.js";
import { makePassword } from "./password.js";
import type { Credentials, SipEndpointPage, SipEndpointRecord } from "./wire.js";

/** An endpoint and its new password; null has one made. */
export interface NewPassword {
  readonly username: string;
  readonly password: string | null;
}

/** An endpoint that is to be made. */
export interface NewEndpoint extends NewPassword {
  /** What tells a repeated attempt from another one, and belongs to one caller. */
  readonly key: readonly string[] | null;
}

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

  /** Changes whenever this gateway adds or removes an endpoint; undefined while it does. */
  get listVersion(): number | undefined {
    return this.#client.listVersion;
  }

  /** Makes the next look at the list a fresh one. */
  forgetPages(): void {
    this.#pages.clearAll();
  }

  /**
   * Makes an endpoint, and a password unless one is given. Null when the name is taken: with a key, by an endpoint that
   * is not this one, made before.
   */
  async create({ username, password, key }: NewEndpoint): Promise<SipEndpointRecord | null> {
    const made = key ? this.#client.derivePassword([...key, username]) : makePassword();
    const credentials = { username, password: password ?? made };
    const created = await this.#changing(username, this.#client.addSip(credentials, this.#budget));
    if (created) this.#endpoints.prime(created.username, created);
    if (created || !key) return created;
    const found = await this.find(username);
    return found?.password === credentials.password ? found : null;
  }

  /** Sets a new password, and makes one unless it is given. Null when PIOPIY has no endpoint of that name. */
  update({ username, password }: NewPassword): Promise<Credentials | null> {
    const credentials = { username, password: password ?? makePassword() };
    return this.#changing(username, this.#client.updateSip(credentials, this.#budget));
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

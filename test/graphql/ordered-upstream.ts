import {
  type BrokenUpstream,
  send,
  startBrokenUpstream,
  type UpstreamResponse,
} from "../support/upstream/broken-upstream.js";

/** The orders in which an upstream may list endpoints. */
export const orders = ["oldest first", "newest first", "alphabetical"] as const;
export type Order = (typeof orders)[number];

/** An upstream with a list in a given order, which a test can change between any two upstream requests. */
export class OrderedUpstream {
  names: string[] = [];
  order: Order = "oldest first";
  /** The numbers of the requested pages, and the names of other operations. */
  readonly requests: (number | string)[] = [];
  readonly #upstream: BrokenUpstream;
  #held: (() => void)[] | undefined;
  #pending: { after: number; act: () => void } | undefined;

  private constructor(upstream: BrokenUpstream) {
    this.#upstream = upstream;
    upstream.respond((response, { operation, body }) => {
      const { page, username } = JSON.parse(body);
      this.requests.push(operation === "list_sip" ? page : operation);
      if (this.#pending && this.#pending.after-- <= 0) {
        const { act } = this.#pending;
        this.#pending = undefined;
        act();
      }
      const reply = (found: UpstreamResponse) => {
        const act = () => send(response, found);
        if (this.#held) this.#held.push(act);
        else act();
      };
      if (operation === "list_sip") return reply({ body: this.#page(page) });
      const isThere = this.names.includes(username);
      if (operation === "remove_sip" && isThere) this.remove(username);
      reply(isThere ? {} : { body: { code: 400 } });
    });
  }

  static async start(): Promise<OrderedUpstream> {
    return new OrderedUpstream(await startBrokenUpstream());
  }

  get url(): string {
    return this.#upstream.url;
  }

  /** Resets the list to these endpoints, in this order. */
  reset(order: Order, names: readonly string[]): void {
    this.order = order;
    this.names = order === "alphabetical" ? [...names].sort() : [...names];
    this.#pending = undefined;
    this.requests.length = 0;
  }

  create(name: string): void {
    if (this.order === "newest first") this.names.unshift(name);
    else this.names.push(name);
    if (this.order === "alphabetical") this.names.sort();
  }

  remove(name: string): void {
    this.names = this.names.filter((each) => each !== name);
  }

  /** Changes the list after this number of further upstream requests. */
  changeAfter(requests: number, act: () => void): void {
    this.#pending = { after: requests, act };
  }

  /** Holds all responses back. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends the responses that were held back. Later ones are still held back, unless `isLast` is true. */
  release(isLast = false): void {
    const held = this.#held ?? [];
    this.#held = isLast ? undefined : [];
    for (const act of held) act();
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  #page(page: number): object {
    const names = this.names.slice(10 * (page - 1), 10 * page);
    const rows = names.map((username) => ({ username, password: "made-up-1" }));
    return { code: "cmi-200", list: { count: this.names.length, rows } };
  }
}

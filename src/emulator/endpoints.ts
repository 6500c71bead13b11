import { completeEndpoint, type Endpoint, type EndpointDraft } from "./endpoint.js";

const PAGE_SIZE = 10;

/**
 * The endpoints of the account, in the order in which they were created. A username is opaque: case and spaces
 * count. `save` is called with all of them after every change, before the change is answered.
 */
export class Endpoints {
  private byUsername = new Map<string, Endpoint>();
  /** The same endpoints by position, made again only after one came or went. */
  private inOrder: readonly Endpoint[] | undefined;

  constructor(
    private readonly sbc: string,
    stored: readonly Endpoint[],
    private readonly save: (endpoints: readonly Endpoint[]) => void,
  ) {
    this.fill(stored);
  }

  get count(): number {
    return this.byUsername.size;
  }

  find(username: string): Endpoint | undefined {
    return this.byUsername.get(username);
  }

  /** The ten of a page, counted from 1; past the end there are none. */
  page(page: number): readonly Endpoint[] {
    return this.all().slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  }

  create(username: string, password: string): Endpoint {
    const endpoint = completeEndpoint({ username, password }, this.sbc);
    this.byUsername.set(username, endpoint);
    this.inOrder = undefined;
    this.save(this.all());
    return endpoint;
  }

  changePassword(endpoint: Endpoint, password: string): void {
    endpoint.password = password;
    this.save(this.all());
  }

  remove(endpoint: Endpoint): void {
    this.byUsername.delete(endpoint.username);
    this.inOrder = undefined;
    this.save(this.all());
  }

  replaceAll(drafts: readonly EndpointDraft[]): void {
    this.fill(drafts);
    this.save(this.all());
  }

  private fill(drafts: readonly EndpointDraft[]): void {
    this.byUsername = new Map(drafts.map((draft) => [draft.username, completeEndpoint(draft, this.sbc)]));
    this.inOrder = undefined;
  }

  private all(): readonly Endpoint[] {
    this.inOrder ??= [...this.byUsername.values()];
    return this.inOrder;
  }
}

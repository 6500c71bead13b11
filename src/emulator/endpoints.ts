import { randomBytes } from "node:crypto";
import { z } from "zod";

const PAGE_SIZE = 10;
/** The transport parameter of RFC 3261. */
const UDP = ";transport=udp";
const text = z.string().min(1);

/** A SIP endpoint with PIOPIY's field names, in PIOPIY's order. */
const endpointSchema = z.strictObject({
  username: text,
  password: text,
  connect_URL: text,
  audio: z.boolean(),
  video: z.boolean(),
  type: z.enum(["SIP", "PSTN"]),
});

/** An endpoint of which only the username is required. */
const endpointDraftSchema = endpointSchema.partial().extend({ username: text });

export type StoredEndpoint = z.infer<typeof endpointSchema>;
export type EndpointDraft = z.infer<typeof endpointDraftSchema>;

/** Lists of endpoints with different usernames. */
export const endpointList = distinct(endpointSchema);
export const endpointDraftList = distinct(endpointDraftSchema);

/** The endpoints of a new emulator, so that the first query returns data. */
export const startingEndpoints: readonly EndpointDraft[] = [
  { username: "alice", password: "made-up-Lantern-27" },
  { username: "bob", password: "made-up-Harbor-58" },
  { username: "carol", password: "made-up-Meadow-91" },
  { username: "dave", password: "made-up-Pebble-34" },
];

/**
 * Stores the endpoints of the account, in the order of creation. Usernames are compared exactly, with their case and spaces.
 * Every change passes all endpoints to `save` first. If `save` throws, the change is not made.
 */
export class Endpoints {
  private byUsername: ReadonlyMap<string, StoredEndpoint>;
  /** The same endpoints in the order of creation. */
  private inOrder: readonly StoredEndpoint[];
  private readonly listeners = new Set<() => void>();
  /** The `connect_URL` of endpoints without their own. */
  private address: string;

  /** @param sbc - The default `connect_URL`. The stored endpoints have it instead of an address for SIP, which may change. */
  constructor(
    private readonly sbc: string,
    stored: readonly StoredEndpoint[],
    private readonly save: (endpoints: readonly StoredEndpoint[]) => void,
  ) {
    this.byUsername = new Map(stored.map((endpoint) => [endpoint.username, endpoint]));
    this.inOrder = stored;
    this.address = sbc;
  }

  get count(): number {
    return this.inOrder.length;
  }

  find(username: string): StoredEndpoint | undefined {
    return this.byUsername.get(username);
  }

  /** Returns the ten endpoints of a page. The first page is 1; a page after the last one is empty. */
  page(page: number): readonly StoredEndpoint[] {
    return this.inOrder.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  }

  /** Adds an endpoint, or replaces the one with the same username. */
  put(draft: EndpointDraft): StoredEndpoint {
    const endpoint = this.complete(draft);
    this.replace(new Map(this.byUsername).set(endpoint.username, endpoint));
    return endpoint;
  }

  remove({ username }: StoredEndpoint): void {
    const rest = new Map(this.byUsername);
    rest.delete(username);
    this.replace(rest);
  }

  replaceAll(drafts: readonly EndpointDraft[]): void {
    this.replace(new Map(drafts.map((draft) => [draft.username, this.complete(draft)])));
  }

  /**
   * Sets the `connect_URL` of the endpoints that have the default one, and of new endpoints.
   *
   * @param address - Host and port of the SBC over UDP, such as `127.0.0.1:5062`.
   */
  setSipAddress(address: string): void {
    this.address = address + UDP;
    this.inOrder = withAddress(this.inOrder, this.sbc, this.address);
    this.byUsername = new Map(this.inOrder.map((endpoint) => [endpoint.username, endpoint]));
  }

  private replace(byUsername: ReadonlyMap<string, StoredEndpoint>): void {
    const inOrder = [...byUsername.values()];
    this.save(withAddress(inOrder, this.address, this.sbc));
    this.byUsername = byUsername;
    this.inOrder = inOrder;
    for (const listener of this.listeners) listener();
  }

  /** Calls a function after every change. Returns a function that ends this. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Fills in the missing fields of a draft. A missing password is generated. */
  private complete({ username, password, connect_URL, audio, video, type }: EndpointDraft): StoredEndpoint {
    return {
      username,
      password: password ?? `made-up-${randomBytes(9).toString("base64url")}`,
      connect_URL: connect_URL ?? this.address,
      audio: audio ?? true,
      video: video ?? true,
      type: type ?? "SIP",
    };
  }
}

/** Returns the endpoints with another `connect_URL` for those that have a certain one. */
function withAddress(
  endpoints: readonly StoredEndpoint[],
  from: string,
  connect_URL: string,
): readonly StoredEndpoint[] {
  return endpoints.map((endpoint) =>
    endpoint.connect_URL === from ? { ...endpoint, connect_URL } : endpoint,
  );
}

function distinct<Schema extends z.ZodType<{ username: string }>>(schema: Schema) {
  const areDistinct = (all: { username: string }[]) =>
    new Set(all.map(({ username }) => username)).size === all.length;
  return z.array(schema).refine(areDistinct, "a username occurs twice");
}

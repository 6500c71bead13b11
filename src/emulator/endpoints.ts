import { randomBytes } from "node:crypto";
import { z } from "zod";

const PAGE_SIZE = 10;

/**
 * The endpoints of the account, in the order in which they were created. A username is opaque: case and spaces
 * count. `save` is called with all of them for every change; a change that it throws at does not happen.
 */
export class Endpoints {
  private byUsername: ReadonlyMap<string, Endpoint>;
  /** The same endpoints by position. */
  private inOrder: readonly Endpoint[];

  constructor(
    private readonly sbc: string,
    stored: readonly Endpoint[],
    private readonly save: (endpoints: readonly Endpoint[]) => void,
  ) {
    this.byUsername = this.complete(stored);
    this.inOrder = [...this.byUsername.values()];
  }

  get count(): number {
    return this.byUsername.size;
  }

  find(username: string): Endpoint | undefined {
    return this.byUsername.get(username);
  }

  /** The ten of a page, counted from 1; past the end there are none. */
  page(page: number): readonly Endpoint[] {
    return this.inOrder.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
  }

  create(username: string, password: string): Endpoint {
    const endpoint = completeEndpoint({ username, password }, this.sbc);
    this.replace(new Map(this.byUsername).set(username, endpoint));
    return endpoint;
  }

  changePassword(endpoint: Endpoint, password: string): void {
    this.replace(new Map(this.byUsername).set(endpoint.username, { ...endpoint, password }));
  }

  remove({ username }: Endpoint): void {
    const rest = new Map(this.byUsername);
    rest.delete(username);
    this.replace(rest);
  }

  replaceAll(drafts: readonly EndpointDraft[]): void {
    this.replace(this.complete(drafts));
  }

  private replace(byUsername: ReadonlyMap<string, Endpoint>): void {
    const inOrder = [...byUsername.values()];
    this.save(inOrder);
    this.byUsername = byUsername;
    this.inOrder = inOrder;
  }

  private complete(drafts: readonly EndpointDraft[]): ReadonlyMap<string, Endpoint> {
    return new Map(drafts.map((draft) => [draft.username, completeEndpoint(draft, this.sbc)]));
  }
}

const text = z.string().min(1);

/** A SIP endpoint, spelled and ordered as PIOPIY does. */
export const endpointSchema = z.strictObject({
  username: text,
  password: text,
  connect_URL: text,
  audio: z.boolean(),
  video: z.boolean(),
  type: z.enum(["SIP", "PSTN"]),
});

export type Endpoint = z.infer<typeof endpointSchema>;

/** An endpoint of which only the username must be told. */
export const endpointDraftSchema = endpointSchema.partial({
  password: true,
  connect_URL: true,
  audio: true,
  video: true,
  type: true,
});

export type EndpointDraft = z.infer<typeof endpointDraftSchema>;

/** Tells whether no username occurs twice. */
export function areDistinct(endpoints: readonly EndpointDraft[]): boolean {
  return new Set(endpoints.map(({ username }) => username)).size === endpoints.length;
}

/** Fills in what the draft leaves out; a missing password is made up. */
function completeEndpoint(draft: EndpointDraft, sbc: string): Endpoint {
  return {
    username: draft.username,
    password: draft.password ?? `made-up-${randomBytes(9).toString("base64url")}`,
    connect_URL: draft.connect_URL ?? sbc,
    audio: draft.audio ?? true,
    video: draft.video ?? true,
    type: draft.type ?? "SIP",
  };
}

/** What a fresh emulator holds, so that the first query finds something. */
export const startingEndpoints: readonly EndpointDraft[] = [
  { username: "alice", password: "made-up-Lantern-27" },
  { username: "bob", password: "made-up-Harbor-58" },
  { username: "carol", password: "made-up-Meadow-91" },
  { username: "dave", password: "made-up-Pebble-34" },
];

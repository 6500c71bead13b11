/** Row of the list of SIP endpoints. */
export interface Row {
  readonly username: string;
  readonly password?: string | null;
}

/** An API client with a normalized cache and without key configuration, which watches the list of SIP endpoints. */
export interface CachingClient {
  /** Returns the rows that the watched list shows now. */
  rows(): readonly (Row | null)[];
  /** Reads one endpoint by a query of its own, past the cache. */
  read(username: string): Promise<unknown>;
  rotate(username: string): Promise<unknown>;
  create(username: string): Promise<unknown>;
  remove(username: string): Promise<unknown>;
  close(): void;
}

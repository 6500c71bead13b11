/**
 * What callers may be allowed: to read endpoints and write PCMO documents, to change endpoints, and to read
 * the password of an endpoint.
 */
export const scopes = ["sip:read", "sip:write", "sip:password"] as const;

export type Scope = (typeof scopes)[number];

export function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}

/** Who sends a request, and what they may do. */
export interface Caller {
  /** The name of an API key, the subject of a token, or the address where everybody may call. */
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
}

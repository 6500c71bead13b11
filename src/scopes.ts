/**
 * What clients may be allowed: to read endpoints and write PCMO documents, to change endpoints, and to read
 * the password of an endpoint.
 */
export const scopes = ["sip:read", "sip:write", "sip:password"] as const;

export type Scope = (typeof scopes)[number];

/** Matches what RFC 3261 does not allow unescaped in the user part of a SIP URI. */
const RESERVED = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu;

/**
 * Returns the address of an endpoint for a softphone: `sip:user@host`. PIOPIY gives the SBC as a bare host name in early
 * samples and as an unnamed placeholder in later ones, so a scheme and a path are removed.
 */
export function sipUri(username: string, connectUrl: string): string {
  const host = connectUrl.replace(/^(?:[a-z]+:\/\/|sips?:)/i, "").replace(/[/?;].*$/, "");
  const user = username.replace(RESERVED, (character) =>
    Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&"),
  );
  return `sip:${user}@${host}`;
}

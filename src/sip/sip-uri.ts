/** What RFC 3261 lets stand in the user part of a SIP URI; all else is escaped. */
const OTHER = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu;

/**
 * The address of an endpoint, ready for a softphone: `sip:user@host`. PIOPIY gives the SBC as a bare host name
 * in early samples and as an unnamed placeholder in later ones, so a scheme, a path and a slash are taken off.
 */
export function sipUri(username: string, connectUrl: string): string {
  const host = connectUrl.replace(/^(?:[a-z]+:\/\/|sips?:)/i, "").replace(/[/?;].*$/, "");
  const user = username.replace(OTHER, (character) =>
    Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&"),
  );
  return `sip:${user}@${host}`;
}

import {
  type Body,
  getBody,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
} from "sip.js/lib/core/index.js";

const SDP = "application/sdp";

/** Changes a body on its way from one phone to the other. */
export type BodyFilter = (body: Body) => Body;

/** Returns the body of a message, or undefined when the message has none, or one without content type. */
export function bodyOf(message: IncomingRequestMessage | IncomingResponseMessage): Body | undefined {
  try {
    return getBody(message);
  } catch {
    return undefined;
  }
}

/** Returns a body unchanged. */
export const unchanged: BodyFilter = (body) => body;

/**
 * Rejects the video of a session description: the port of each video section becomes 0, as RFC 3264 describes. The number of
 * sections stays the same, so that the description of the other phone matches.
 */
export const withoutVideo: BodyFilter = (body) => rejectMedia(body, (section) => /^m=video\s/i.test(section));

/** Returns a description that rejects all media of an offer. */
export const rejectAll: BodyFilter = (body) => rejectMedia(body, () => true);

function rejectMedia(body: Body, isRejected: (section: string) => boolean): Body {
  if (body.contentType.split(";", 1)[0]?.trim().toLowerCase() !== SDP) return body;
  const [session = "", ...sections] = body.content.split(/^(?=m=)/m);
  const rejectedIds = new Set<string>();
  const changed = sections.map((section) => {
    if (!isRejected(section)) return section;
    const [, id] = /^a=mid:(\S+)/m.exec(section) ?? [];
    if (id !== undefined) rejectedIds.add(id);
    return (
      section
        .replace(/^(m=\S+) \d+/, "$1 0")
        // Only a section with port 0 that is not rejected has this attribute (RFC 8843).
        .replace(/^a=bundle-only\r?\n/m, "")
    );
  });
  return { ...body, content: [withoutBundled(session, rejectedIds), ...changed].join("") };
}

/** Removes media from the BUNDLE groups of the session part of a description. A group without media is removed. */
function withoutBundled(session: string, ids: ReadonlySet<string>): string {
  if (ids.size === 0) return session;
  return session.replace(/^a=group:BUNDLE(.*)(\r?\n)/gm, (_line, members: string, end: string) => {
    const rest = members.split(" ").filter((id) => id !== "" && !ids.has(id));
    return rest.length === 0 ? "" : `a=group:BUNDLE ${rest.join(" ")}${end}`;
  });
}

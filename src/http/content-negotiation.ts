import type { FastifyReply, FastifyRequest } from "fastify";

const JSON_TYPE = "application/json";
/** The media types of a GraphQL response. The first one is sent to clients without a preference. */
const offeredTypes = [JSON_TYPE, "application/graphql-response+json"] as const;

/** The media type of a GraphQL response. */
export type MediaType = (typeof offeredTypes)[number];

interface MediaRange {
  readonly name: string;
  readonly quality: number;
  readonly position: number;
}

/**
 * Chooses the media type of a response by the header `Accept` (RFC 9110): prefers the highest quality, then the more
 * specific range, then the first range. Returns undefined when the client accepts neither type.
 */
function negotiateMediaType(accept = ""): MediaType | undefined {
  const texts = accept
    .toLowerCase()
    .split(",")
    .filter((text) => text.trim() !== "");
  if (texts.length === 0) return JSON_TYPE;
  const ranges = texts.flatMap(parseRange);
  const choices = offeredTypes.flatMap((type) => {
    // Only the most specific range applies to a type, even if its quality is 0 (not acceptable).
    const names = [type, "application/*", "*/*"];
    const [mostSpecific] = ranges
      .map((range) => ({ ...range, type, rank: names.indexOf(range.name) }))
      .filter(({ rank }) => rank >= 0)
      .sort((one, other) => one.rank - other.rank);
    return mostSpecific && mostSpecific.quality > 0 ? [mostSpecific] : [];
  });
  const [best] = choices.sort(
    (one, other) => other.quality - one.quality || one.rank - other.rank || one.position - other.position,
  );
  return best?.type;
}

/** Returns the header `Content-Type` of a response: `application/json` for a client that accepts neither media type. */
export function contentType(accept: string | undefined): string {
  return `${negotiateMediaType(accept) ?? JSON_TYPE}; charset=utf-8`;
}

/** Parses one range of the header. A range with a parameter other than `q` and `charset=utf-8` matches no response. */
function parseRange(text: string, position: number): MediaRange[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const otherParameters = parameters.filter((parameter) => parameter !== "" && !parameter.startsWith("q="));
  const matches = otherParameters.every((parameter) => /^charset=("?)utf-8\1$/.test(parameter));
  return matches ? [{ name, quality: Number(quality), position }] : [];
}

/** A request whose headers require something that the gateway does not support. */
class HeaderError extends Error {
  constructor(
    readonly statusCode: number,
    readonly code: string,
  ) {
    super(code);
  }
}

/**
 * Rejects a GraphQL request before it is executed: with 406 when the client accepts neither media type, and with 415 when the body
 * is compressed or not in UTF-8. Replaces the header `Accept` by the chosen media type.
 */
export function checkHeaders({ headers, method }: FastifyRequest, reply: FastifyReply): void {
  const mediaType = negotiateMediaType(headers.accept);
  if (!mediaType) throw new HeaderError(406, "NOT_ACCEPTABLE");
  // Apollo Server would choose by different rules.
  headers.accept = mediaType;
  if (method === "GET") return;
  const encodings = (headers["content-encoding"] ?? "").toLowerCase().split(",");
  if (encodings.some((encoding) => !["", "identity"].includes(encoding.trim()))) {
    reply.header("accept-encoding", "identity");
    throw new HeaderError(415, "UNSUPPORTED_ENCODING");
  }
  const charsets = (headers["content-type"] ?? "").matchAll(/;\s*charset\s*=\s*"?([^\s;"]*)/gi);
  if ([...charsets].some(([, charset = ""]) => !/^utf-?8$/i.test(charset))) {
    throw new HeaderError(415, "UNSUPPORTED_CHARSET");
  }
}

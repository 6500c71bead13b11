import type { FastifyReply, FastifyRequest } from "fastify";

const JSON_TYPE = "application/json";
/** The media types of a GraphQL response. The first is sent to clients without a preference. */
const offeredTypes = [JSON_TYPE, "application/graphql-response+json"] as const;

/** The media type of a GraphQL response. */
export type MediaType = (typeof offeredTypes)[number];

interface MediaRange {
  readonly name: string;
  readonly quality: number;
  readonly position: number;
}

/**
 * Chooses the media type of a response by the header `Accept` (RFC 9110): the one with the highest quality, of several the one
 * that is named more exactly, then the one that is named first. Undefined when the client accepts none.
 */
function negotiateMediaType(accept = ""): MediaType | undefined {
  const texts = accept
    .toLowerCase()
    .split(",")
    .filter((text) => text.trim() !== "");
  if (texts.length === 0) return JSON_TYPE;
  const ranges = texts.flatMap(parseRange);
  const choices = offeredTypes.flatMap((type) => {
    // The most specific range decides about a type, also when it forbids the type.
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

/** Writes the header `Content-Type` of a response, also to a client that accepts none. */
export function contentType(accept: string | undefined): string {
  return `${negotiateMediaType(accept) ?? JSON_TYPE}; charset=utf-8`;
}

/** Parses one range of the header. It matches no response if it has other parameters than they have. */
function parseRange(text: string, position: number): MediaRange[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const otherParameters = parameters.filter((parameter) => parameter !== "" && !parameter.startsWith("q="));
  const matches = otherParameters.every((parameter) => /^charset=("?)utf-8\1$/.test(parameter));
  return matches ? [{ name, quality: Number(quality), position }] : [];
}

/** A request whose headers ask for something that the gateway does not have. */
class HeaderError extends Error {
  constructor(
    readonly statusCode: number,
    readonly code: string,
  ) {
    super(code);
  }
}

/**
 * Rejects a GraphQL request whose response the client would not accept, with 406 before anything is executed, and one whose body is
 * compressed or not in UTF-8, with 415. Later readers of the header `Accept` find the media type that was chosen.
 */
export function checkHeaders({ headers, method }: FastifyRequest, reply: FastifyReply): void {
  const mediaType = negotiateMediaType(headers.accept);
  if (!mediaType) throw new HeaderError(406, "NOT_ACCEPTABLE");
  // Apollo Server negotiates by rules of its own.
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

import type { FastifyReply, FastifyRequest } from "fastify";
import { negotiateMediaType } from "./media-type.js";

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
 * Refuses a GraphQL request whose response the client would not accept, with 406 before anything is executed, and one whose body is
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

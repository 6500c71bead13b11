export const JSON_TYPE = "application/json";
/**
 * The media types of a GraphQL response. A client that names both gets the second one: Apollo Router sends both, and reads the
 * errors of a 4xx response of this type only.
 */
const offeredTypes = [JSON_TYPE, "application/graphql-response+json"] as const;

interface MediaRange {
  readonly name: string;
  readonly quality: number;
}

type OfferedType = (typeof offeredTypes)[number];

/** How many headers are stored with their media type, and the maximum length of such a header. Clients send the same few headers. */
const MAX_STORED = 100;
const MAX_STORED_LENGTH = 200;
const stored = new Map<string, OfferedType | undefined>();

/** Chooses the media type of a GraphQL response. Returns undefined when the client accepts neither type. */
export function negotiateMediaType(accept = ""): OfferedType | undefined {
  if (stored.has(accept)) return stored.get(accept);
  const type = negotiate(accept, offeredTypes);
  if (accept.length <= MAX_STORED_LENGTH) {
    if (stored.size >= MAX_STORED) stored.clear();
    stored.set(accept, type);
  }
  return type;
}

/** Returns whether a client prefers an HTML page to JSON, as browsers do when a person opens an address. */
export function prefersHtml(accept: string | undefined): boolean {
  return negotiate(accept ?? "", [...offeredTypes, "text/html"]) === "text/html";
}

/**
 * Chooses one of several media types by the header `Accept` (RFC 9110): prefers the highest quality, then the more specific range.
 * Between two equal names, prefers the type that is offered second. Between two equal wildcards, prefers the first one, as without
 * the header. Returns undefined when the client accepts none of the types.
 */
function negotiate<Type extends string>(accept: string, offered: readonly Type[]): Type | undefined {
  const texts = accept
    .toLowerCase()
    .split(",")
    .filter((text) => text.trim() !== "");
  if (texts.length === 0) return offered[0];
  const ranges = texts.flatMap(parseRange);
  const choices = offered.flatMap((type) => {
    // Only the most specific range applies to a type, even if its quality is 0 (not acceptable).
    const names = [type, type.replace(/\/.*/, "/*"), "*/*"];
    const [mostSpecific] = ranges
      .map((range) => ({ ...range, type, rank: names.indexOf(range.name) }))
      .filter(({ rank }) => rank >= 0)
      .sort((one, other) => one.rank - other.rank);
    return mostSpecific && mostSpecific.quality > 0 ? [mostSpecific] : [];
  });
  const [best, second] = choices.sort((one, other) => other.quality - one.quality || one.rank - other.rank);
  const areEqualNames = best?.rank === 0 && second?.rank === 0 && best.quality === second.quality;
  return areEqualNames ? second.type : best?.type;
}

/** Parses one range of the header. A range with a parameter other than `q` and `charset=utf-8` matches no response. */
function parseRange(text: string): MediaRange[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const otherParameters = parameters.filter((parameter) => parameter !== "" && !parameter.startsWith("q="));
  const matches = otherParameters.every((parameter) => /^charset=("?)utf-8\1$/.test(parameter));
  return matches ? [{ name, quality: Number(quality) }] : [];
}

export const JSON_TYPE = "application/json";
const GRAPHQL_TYPE = "application/graphql-response+json";
const offeredTypes = [JSON_TYPE, GRAPHQL_TYPE] as const;

/** The media type of a GraphQL response. */
type MediaType = (typeof offeredTypes)[number];

interface MediaRange {
  readonly name: string;
  readonly quality: number;
}

/**
 * Chooses the media type of a response by the header `Accept` (RFC 9110): prefers the highest quality, then the more
 * specific range. Between two equal names, prefers `application/graphql-response+json`: Apollo Router sends both, and reads the
 * errors of a 4xx response of this type only. Between two equal wildcards, prefers `application/json`, as without the header.
 * Returns undefined when the client accepts neither type.
 */
export function negotiateMediaType(accept = ""): MediaType | undefined {
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
  const [best, second] = choices.sort((one, other) => other.quality - one.quality || one.rank - other.rank);
  const areEqualNames = best?.rank === 0 && second?.rank === 0 && best.quality === second.quality;
  return areEqualNames ? GRAPHQL_TYPE : best?.type;
}

/** Parses one range of the header. A range with a parameter other than `q` and `charset=utf-8` matches no response. */
function parseRange(text: string): MediaRange[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const otherParameters = parameters.filter((parameter) => parameter !== "" && !parameter.startsWith("q="));
  const matches = otherParameters.every((parameter) => /^charset=("?)utf-8\1$/.test(parameter));
  return matches ? [{ name, quality: Number(quality) }] : [];
}

const JSON_TYPE = "application/json";
/** Those of a GraphQL response. The first is sent to clients that prefer none. */
const offered = [JSON_TYPE, "application/graphql-response+json"] as const;

/** The media type of a GraphQL response. */
export type MediaType = (typeof offered)[number];

interface Range {
  readonly name: string;
  readonly quality: number;
  readonly place: number;
}

/**
 * Chooses the media type of a response by the header `Accept` (RFC 9110): the one with the highest quality, of several the one
 * that is named more exactly, then the one that is named first. Undefined when the client accepts none.
 */
export function negotiateMediaType(accept = ""): MediaType | undefined {
  const texts = accept
    .toLowerCase()
    .split(",")
    .filter((text) => text.trim() !== "");
  if (texts.length === 0) return JSON_TYPE;
  const ranges = texts.flatMap(readRange);
  const choices = offered.flatMap((type) => {
    // The most exact range decides about a type, also when it forbids the type.
    const names = [type, "application/*", "*/*"];
    const [nearest] = ranges
      .map((range) => ({ ...range, type, vagueness: names.indexOf(range.name) }))
      .filter(({ vagueness }) => vagueness >= 0)
      .sort((one, other) => one.vagueness - other.vagueness);
    return nearest && nearest.quality > 0 ? [nearest] : [];
  });
  const [best] = choices.sort(
    (one, other) => other.quality - one.quality || one.vagueness - other.vagueness || one.place - other.place,
  );
  return best?.type;
}

/** Writes the header `Content-Type` of a response, also to a client that accepts none. */
export function contentType(accept: string | undefined): string {
  return `${negotiateMediaType(accept) ?? JSON_TYPE}; charset=utf-8`;
}

/** None where the range has other parameters than the responses. */
function readRange(text: string, place: number): Range[] {
  const [name = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1";
  const others = parameters.filter((parameter) => parameter !== "" && !parameter.startsWith("q="));
  const fits = others.every((parameter) => /^charset=("?)utf-8\1$/.test(parameter));
  return fits ? [{ name, quality: Number(quality), place }] : [];
}

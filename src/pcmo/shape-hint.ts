import { formatValue } from "../format-value.js";

/** The maximum number of layers around a list or an object. Values of clients may be nested deeply. */
const MAX_LAYERS = 5;
const QUOTES = "the quotes around the JSON";

/**
 * Returns a sentence that says how to turn a value into the expected list or object: what to remove around it, or to put it in
 * brackets. The sentence starts with a space. Returns an empty string if the value contains neither.
 */
export function shapeHint(value: unknown, expected: "array" | "object"): string {
  const layers: string[] = [];
  const removal = () => (layers.length > 0 ? ` Remove ${new Intl.ListFormat("en-US").format(layers)}.` : "");
  let inner = value;
  for (let count = 0; count <= MAX_LAYERS; count++) {
    if (Array.isArray(inner) ? expected === "array" : expected === "object" && isObject(inner)) {
      return removal();
    }
    if (typeof inner === "string") {
      inner = parseJson(inner);
      layers.push(layers.includes(QUOTES) ? "the quotes and backslashes inside them" : QUOTES);
    } else if (Array.isArray(inner)) {
      if (inner.length !== 1) return "";
      inner = inner[0];
      layers.push("the square brackets around the object");
    } else if (isObject(inner)) {
      if (isActionOrTarget(inner)) return `${removal()} Put the object in square brackets.`;
      const [key, ...others] = Object.keys(inner);
      if (key === undefined || others.length > 0) return "";
      inner = inner[key];
      layers.push(`the key ${formatValue(key)} with its braces`);
    } else return "";
  }
  return "";
}

function isActionOrTarget({ action, type }: Readonly<Record<string, unknown>>): boolean {
  return typeof action === "string" || typeof type === "string";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses a text that is JSON of a list, an object or a string. Returns undefined for any other text. */
function parseJson(text: string): unknown {
  if (!/^\s*["[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

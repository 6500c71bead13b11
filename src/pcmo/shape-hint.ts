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
      const entries = Object.entries(inner);
      const candidates = entries.length > 1 ? entries.filter(([, part]) => holdsAction(part)) : entries;
      const [entry, ...others] = candidates;
      if (!entry || others.length > 0) return "";
      const [key, part] = entry;
      inner = part;
      const name = `the key ${formatValue(key)}`;
      layers.push(entries.length > 1 ? `everything around the value of ${name}` : `${name} with its braces`);
    } else return "";
  }
  return "";
}

function isActionOrTarget({ action, type }: Readonly<Record<string, unknown>>): boolean {
  return typeof action === "string" || typeof type === "string";
}

/** Returns whether a value is or contains an action or a target, in any of the layers that are searched. */
function holdsAction(value: unknown, layers = MAX_LAYERS): boolean {
  if (layers === 0 || typeof value !== "object" || value === null) return false;
  if (isObject(value) && isActionOrTarget(value)) return true;
  return Object.values(value).some((part) => holdsAction(part, layers - 1));
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

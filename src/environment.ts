import { z } from "zod";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const QUOTED = /^(?:"(.*)"|'(.*)'|`(.*)`|“(.*)”|‘(.*)’)$/s;
const QUOTES_MISTAKE = "must not have quotes around its value. Remove the quotes.";
const MAX_SHOWN = 60;

/** Environment variables as a process gets them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads variables by zod schemas, and collects every mistake instead of stopping at the first. White space around a value is cut
 * off, and a variable that is empty counts as not set.
 */
export class Environment {
  /** A set, since several parts of a list may have the same mistake. */
  readonly mistakes = new Set<string>();

  constructor(private readonly variables: Variables) {}

  /** Returns the text of a variable, or undefined where it is not set. */
  text(name: string): string | undefined {
    const text = this.variables[name]?.trim() ?? "";
    // Files of variables for containers are no shell scripts: quotes in them are a part of the value.
    const inner = QUOTED.exec(text)?.slice(1).join("");
    if (inner !== undefined) this.mistakes.add(`${name} ${QUOTES_MISTAKE}`);
    return (inner ?? text) || undefined;
  }

  /** Returns what a schema makes of a variable. After a mistake it is undefined: check `mistakes` before any value is used. */
  read<Value>(name: string, schema: z.ZodType<Value>): Value {
    const { data, error } = schema.safeParse(this.text(name));
    for (const { message } of error?.issues ?? []) this.mistakes.add(`${name} ${message}`);
    return data as Value;
  }
}

/** Returns the schema of a text that must be set. The reason is shown when it is not, the text never: it may be a secret. */
export function required(reason: string) {
  return z.string(`must be set: ${reason}.`);
}

/**
 * Returns the schema of a whole number in decimal digits.
 *
 * @param auto what the word `auto` stands for; without it the word is not allowed
 */
export function wholeNumber(minimum: number, maximum: number, fallback: number, auto?: number) {
  const isAuto = (text: string) => auto !== undefined && text === "auto";
  const isNumber = (text: string) => /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum;
  const alternative = auto === undefined ? "" : ', or the word "auto"';
  return z
    .string()
    .refine((text) => isAuto(text) || isNumber(text), {
      error: invalid(`must be a whole number from ${minimum} to ${maximum}${alternative}`),
    })
    .transform((text) => (isAuto(text) ? Number(auto) : Number(text)))
    .default(fallback);
}

/** Returns the schema of one of some words. */
export function oneOf<const Choice extends string>(...choices: Choice[]) {
  return z.enum(choices, { error: invalid(`must be one of ${choices.join(", ")}`) });
}

/** The schema of `true` or `false`, which is the default. */
export const flag = oneOf("true", "false")
  .default("false")
  .transform((value) => value === "true");

/** Returns the schema of parts that commas separate; none where the variable is not set. */
export function list<Part>(part: z.ZodType<Part, string>) {
  const unquoted = z.string().refine((text) => !QUOTED.test(text), { error: QUOTES_MISTAKE, abort: true });
  return z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((one) => one.trim() || []))
    .pipe(z.array(unquoted.pipe(part)));
}

/** Returns the schema of a list of texts that pass a test, which the description explains. */
export function listOf(isPart: (text: string) => boolean, description: string) {
  const error = ({ input }: { readonly input: unknown }) =>
    `must hold ${description}; ${JSON.stringify(String(input).slice(0, MAX_SHOWN))} is none.`;
  return list(z.string().refine(isPart, { error }));
}

/**
 * Returns the schema of an address that must not be overheard: https, or http on loopback. It becomes its normal form. No
 * mistake shows it, since it may hold a secret.
 *
 * @param allowHttp plain http may lead elsewhere too
 * @param alternative what the variable may hold instead
 */
export function address({ allowHttp = false, allowQuery = false, alternative = "" } = {}) {
  const error = `must be an address that begins with https://${alternative}.`;
  return z
    .url({ protocol: /^https?$/, normalize: true, abort: true, error })
    .refine((url) => {
      const { username, password, hash } = new URL(url);
      return !(username || password || hash);
    }, "must hold no user, password or fragment.")
    .refine((url) => allowQuery || !url.includes("?"), "must hold no query.")
    .refine(
      (url) => allowHttp || url.startsWith("https:") || isLoopback(url),
      "must begin with https://, since a secret depends on it. Plain http is for a loopback address.",
    );
}

/** Returns whether an address leads to this machine. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}

function invalid(rule: string): (issue: { readonly input: unknown }) => string {
  return ({ input }) => `${rule}; it is ${JSON.stringify(input)}.`;
}

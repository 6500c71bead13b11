import { z } from "zod";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const QUOTED = /^(?:"(.*)"|'(.*)'|`(.*)`|“(.*)”|‘(.*)’)$/s;
const QUOTES_MISTAKE = "must not have quotes around its value. Remove the quotes.";
const MAX_SHOWN = 60;

/** Environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads variables by zod schemas, and collects all errors instead of stopping at the first. White space around a value is
 * removed, and an empty variable counts as not set.
 */
export class Environment {
  /** A set, because several parts of a list may have the same error. */
  readonly mistakes = new Set<string>();

  constructor(private readonly variables: Variables) {}

  /** Returns the text of a variable, or undefined if it is not set. */
  text(name: string): string | undefined {
    const text = this.variables[name]?.trim() ?? "";
    // Unlike a shell, `docker run --env-file` keeps quotes as a part of the value.
    const inner = QUOTED.exec(text)?.slice(1).join("");
    if (inner !== undefined) this.mistakes.add(`${name} ${QUOTES_MISTAKE}`);
    return (inner ?? text) || undefined;
  }

  /** Returns the parsed value of a variable. It is undefined after an error: check `mistakes` before you use any value. */
  read<Value>(name: string, schema: z.ZodType<Value>): Value {
    const { data, error } = schema.safeParse(this.text(name));
    for (const { message } of error?.issues ?? []) this.mistakes.add(`${name} ${message}`);
    return data as Value;
  }
}

/** Returns the schema of a text that must be set. Error messages show the reason, never the text: it may be a secret. */
export function required(reason: string) {
  return z.string(`must be set: ${reason}.`);
}

/**
 * Returns the schema of a whole number in decimal digits.
 *
 * @param auto the number for the word `auto`; if undefined, the word is not allowed
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

/** Returns the schema of a choice between words. */
export function oneOf<const Choice extends string>(...choices: Choice[]) {
  return z.enum(choices, { error: invalid(`must be one of ${choices.join(", ")}`) });
}

/** Schema of `true` or `false`. The default is `false`. */
export const flag = oneOf("true", "false")
  .default("false")
  .transform((value) => value === "true");

/** Returns the schema of a comma-separated list. The list is empty if the variable is not set. */
export function list<Part>(part: z.ZodType<Part, string>) {
  const unquoted = z.string().refine((text) => !QUOTED.test(text), { error: QUOTES_MISTAKE, abort: true });
  return z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((one) => one.trim() || []))
    .pipe(z.array(unquoted.pipe(part)));
}

/** Returns the schema of a comma-separated list of texts that pass `isPart`. Error messages contain the description. */
export function listOf(isPart: (text: string) => boolean, description: string) {
  const error = ({ input }: { readonly input: unknown }) =>
    `must contain ${description} (got ${JSON.stringify(String(input).slice(0, MAX_SHOWN))}).`;
  return list(z.string().refine(isPart, { error }));
}

/**
 * Returns the schema of a URL that must be encrypted: https, or http to a loopback address. The URL is normalized. Error
 * messages do not show it, because it may contain a secret.
 *
 * @param allowHttp whether plain http is allowed for all addresses
 * @param alternative end of the message, with another value that the variable may have
 */
export function address({ allowHttp = false, allowQuery = false, alternative = "" } = {}) {
  const error = `must be a URL that starts with https://${alternative}.`;
  return z
    .url({ protocol: /^https?$/, normalize: true, abort: true, error })
    .refine((url) => {
      const { username, password, hash } = new URL(url);
      return !(username || password || hash);
    }, "must not contain a user, a password or a fragment.")
    .refine((url) => allowQuery || !url.includes("?"), "must not contain a query.")
    .refine(
      (url) => allowHttp || url.startsWith("https:") || isLoopback(url),
      "must start with https://, because http does not protect secrets. Plain http is allowed for a loopback address only.",
    );
}

/** Returns whether the host of a URL is a loopback address. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}

function invalid(rule: string): (issue: { readonly input: unknown }) => string {
  return ({ input }) => `${rule} (got ${JSON.stringify(input)}).`;
}

import { readFileSync } from "node:fs";
import { z } from "zod";
import { reasonOf } from "./describe-error.js";

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
  readonly #variables: Variables;
  readonly #fileVariables: readonly string[];

  /** @param fileVariables names of variables whose value may be in a file instead: `NAME_FILE` is the path of the file */
  constructor(variables: Variables, fileVariables: readonly string[] = []) {
    this.#variables = variables;
    this.#fileVariables = fileVariables;
  }

  /** Returns an environment with the same variables, and with no mistakes. */
  renew(): Environment {
    return new Environment(this.#variables, this.#fileVariables);
  }

  /** Returns the value of a variable or of its file, or undefined if neither is set. */
  text(name: string): string | undefined {
    return this.#find(name)?.text;
  }

  /** Returns the path of the file that has the value of a variable, or undefined if no file has it. */
  fileOf(name: string): string | undefined {
    return this.#fileVariables.includes(name) ? this.#variable(`${name}_FILE`) : undefined;
  }

  /** Returns the parsed value of a variable. It is undefined after an error: check `mistakes` before you use any value. */
  read<Value>(name: string, schema: z.ZodType<Value>): Value {
    const found = this.#find(name);
    // The value is unknown, so only the problem with its source is reported.
    if (!found) return undefined as Value;
    const { data, error } = schema.safeParse(found.text);
    for (const { message } of error?.issues ?? []) this.mistakes.add(`${found.source} ${message}`);
    return data as Value;
  }

  /** Finds the value of a variable, and its source for error messages. Returns undefined if there is no one value. */
  #find(name: string): { readonly source: string; readonly text: string | undefined } | undefined {
    const text = this.#variable(name);
    const file = this.fileOf(name);
    if (file === undefined) return { source: name, text };
    const fileName = `${name}_FILE`;
    if (text !== undefined) {
      this.mistakes.add(`${name} and ${fileName} must not both be set. Remove one of them.`);
      return undefined;
    }
    const path = JSON.stringify(file);
    const source = `${name} in the file ${path}`;
    try {
      const content = this.#unquoted(source, readFileSync(file, "utf8"));
      if (content !== undefined) return { source, text: content };
      this.mistakes.add(`${fileName} must be the path of a file that has a value (${path} is empty).`);
    } catch (error) {
      this.mistakes.add(`${fileName} must be the path of a readable file (${path}: ${reasonOf(error)}).`);
    }
    return undefined;
  }

  #variable(name: string): string | undefined {
    return this.#unquoted(name, this.#variables[name]);
  }

  /** Removes white space and quotes around a text. Returns undefined if nothing is left. Quotes are an error. */
  #unquoted(source: string, given = ""): string | undefined {
    const text = given.trim();
    // Unlike a shell, `docker run --env-file` keeps quotes as a part of the value.
    const inner = QUOTED.exec(text)?.slice(1).join("");
    if (inner !== undefined) this.mistakes.add(`${source} ${QUOTES_MISTAKE}`);
    return (inner ?? text) || undefined;
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
export function list<Part>(part: z.ZodType<Part, string>, separator: string | RegExp = ",") {
  const unquoted = z.string().refine((text) => !QUOTED.test(text), { error: QUOTES_MISTAKE, abort: true });
  return z
    .string()
    .default("")
    .transform((text) => text.split(separator).flatMap((one) => one.trim() || []))
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

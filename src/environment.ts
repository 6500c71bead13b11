import { isIP } from "node:net";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const HOST_NAME = /^[\w-]+(\.[\w-]+)*\.?$/;

const MAX_SHOWN = 60;
const QUOTES = ['""', "''", "``", "“”", "‘’"];

/** Environment variables as a process gets them. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads variables one by one and collects every mistake instead of stopping at the first. White space around a value is cut
 * off, and a variable that is empty counts as not set. What a reader returns after a mistake is a placeholder: check
 * `mistakes` at the end.
 */
export class Environment {
  readonly mistakes: string[] = [];

  constructor(private readonly variables: Variables) {}

  /** The text without white space around it, or undefined. */
  text(name: string): string | undefined {
    return this.#withoutQuotes(name, this.variables[name]?.trim() ?? "") || undefined;
  }

  /** A text that must be there; the reason is shown when it is not. Its value is never shown. */
  required(name: string, reason: string): string {
    const text = this.text(name);
    if (text === undefined) this.mistakes.push(`${name} must be set: ${reason}.`);
    return text ?? "";
  }

  /** @param alternative what the variable may hold instead, for the message */
  wholeNumber(name: string, minimum: number, maximum: number, fallback: number, alternative = ""): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (/^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum) return Number(text);
    this.mistakes.push(
      `${name} must be a whole number from ${minimum} to ${maximum}${alternative}; it is ${JSON.stringify(text)}.`,
    );
    return fallback;
  }

  oneOf<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) {
      this.mistakes.push(`${name} must be one of ${choices.join(", ")}; it is ${JSON.stringify(text)}.`);
    }
    return choice ?? fallback;
  }

  flag(name: string): boolean {
    return this.oneOf(name, ["true", "false"], "false") === "true";
  }

  /** The parts of a text that commas separate. */
  list(name: string): string[] {
    const parts = this.text(name)?.split(",") ?? [];
    return parts.map((part) => this.#withoutQuotes(name, part.trim())).filter((part) => part !== "");
  }

  /** Host names and addresses that commas separate, each without a scheme or a port. */
  hosts(name: string): string[] {
    return this.list(name).map((text) => {
      if (!HOST_NAME.test(text) && isIP(text) === 0) {
        this.mistakes.push(
          `${name} must hold host names or addresses like gateway or 192.0.2.1, comma separated, without a scheme or a port; ` +
            `${JSON.stringify(text.slice(0, MAX_SHOWN))} is none.`,
        );
      }
      return text;
    });
  }

  /**
   * The normal form of an address that must not be overheard: https, or http on loopback.
   *
   * @param allowHttp plain http may lead elsewhere too
   * @param alternative what the variable may hold instead, for the message
   */
  url(name: string, text: string, { allowHttp = false, alternative = "" } = {}): string {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url || !["http:", "https:"].includes(url.protocol)) {
      this.mistakes.push(`${name} must be an address that begins with https://${alternative}.`);
      return text;
    }
    if (url.username || url.password || url.hash) {
      this.mistakes.push(`${name} must hold no user, password or fragment.`);
    }
    if (url.protocol === "http:" && !allowHttp && !isLoopback(url.href)) {
      this.mistakes.push(
        `${name} must begin with https://, since a secret depends on it. Plain http is for a loopback address.`,
      );
    }
    return url.href;
  }

  /** Files of variables for containers are no shell scripts: quotes in them are a part of the value. */
  #withoutQuotes(name: string, text: string): string {
    if (text.length < 2 || !QUOTES.includes(`${text.at(0)}${text.at(-1)}`)) return text;
    const mistake = `${name} must not have quotes around its value. Remove the quotes.`;
    if (!this.mistakes.includes(mistake)) this.mistakes.push(mistake);
    return text.slice(1, -1);
  }
}

/** Tells whether an address leads to this machine. */
export function isLoopback(url: string): boolean {
  return URL.canParse(url) && LOOPBACK.test(new URL(url).hostname);
}

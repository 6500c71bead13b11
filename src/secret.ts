import { inspect } from "node:util";

const PRINTED = "***";

/**
 * A text that must not be shown, such as a password. JSON, template strings, logs and errors show `***` instead. Only `reveal`
 * returns the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toJSON(): string {
    return PRINTED;
  }

  toString(): string {
    return PRINTED;
  }

  [Symbol.toPrimitive](): string {
    return PRINTED;
  }

  [inspect.custom](): string {
    return PRINTED;
  }
}

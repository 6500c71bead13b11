import type { Environment } from "../environment.js";
import { Secret } from "../secret.js";

const SHORTEST_SECRET = 32;

/** Where answer URLs lead, and what signs them. */
export interface AnswerSettings {
  /** The address of this gateway as PIOPIY reaches it, without a slash at its end. Undefined: the one that it listens on. */
  readonly publicUrl: string | undefined;
  /** The first signs; all are accepted, so that a secret can be changed without breaking the URLs in use. */
  readonly secrets: readonly [Secret, ...Secret[]];
}

/**
 * Reads `PUBLIC_URL` and `ANSWER_URL_SECRET`; undefined when neither is set. The embedded emulator needs no `PUBLIC_URL`,
 * since it reaches the address that the gateway listens on. No mistake shows a secret.
 */
export function readAnswerSettings(environment: Environment): AnswerSettings | undefined {
  const address = environment.text("PUBLIC_URL");
  const texts = environment.list("ANSWER_URL_SECRET");
  if (address === undefined && texts.length === 0) return undefined;
  if (texts.length < 1 || texts.length > 2 || texts.some((text) => text.length < SHORTEST_SECRET)) {
    environment.mistakes.push(
      `ANSWER_URL_SECRET must be one secret of ${SHORTEST_SECRET} characters or more, or two, comma separated, while it is changed.`,
    );
  }
  const secrets = texts.map((text) => new Secret(text)) as [Secret, ...Secret[]];
  if (address === undefined && environment.text("PIOPIY_URL") === "emulator") {
    return { publicUrl: undefined, secrets };
  }
  const required = environment.required("PUBLIC_URL", "where PIOPIY reaches this gateway, for answer URLs");
  const url = required && environment.url("PUBLIC_URL", required);
  if (url.includes("?")) environment.mistakes.push("PUBLIC_URL must hold no query.");
  return { publicUrl: url.replace(/\/+$/, ""), secrets };
}

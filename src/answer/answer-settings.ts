import type { Environment } from "../environment.js";
import { Secret } from "../secret.js";

const SHORTEST_SECRET = 32;

/** Where answer URLs lead, and what signs them. */
export interface AnswerSettings {
  /** The address of this gateway as PIOPIY reaches it, without a slash at its end. */
  readonly publicUrl: string;
  /** The first signs; all are accepted, so that a secret can be changed without breaking the URLs in use. */
  readonly secrets: readonly [Secret, ...Secret[]];
}

/** Reads `PUBLIC_URL` and `ANSWER_URL_SECRET`; undefined when neither is set. No mistake shows a secret. */
export function readAnswerSettings(environment: Environment): AnswerSettings | undefined {
  const address = environment.text("PUBLIC_URL");
  const secrets = environment.list("ANSWER_URL_SECRET");
  if (address === undefined && secrets.length === 0) return undefined;
  if (secrets.length < 1 || secrets.length > 2 || secrets.some((secret) => secret.length < SHORTEST_SECRET)) {
    environment.mistakes.push(
      `ANSWER_URL_SECRET must be one secret of ${SHORTEST_SECRET} characters or more, or two, comma separated, while it is changed.`,
    );
  }
  const required = environment.required("PUBLIC_URL", "where PIOPIY reaches this gateway, for answer URLs");
  const url = required && environment.url("PUBLIC_URL", required);
  if (url.includes("?")) environment.mistakes.push("PUBLIC_URL must hold no query.");
  return {
    publicUrl: url.replace(/\/+$/, ""),
    secrets: secrets.map((secret) => new Secret(secret)) as [Secret, ...Secret[]],
  };
}

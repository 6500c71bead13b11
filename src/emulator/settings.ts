import { isIP } from "node:net";
import { z } from "zod";

/** Published with the emulator, so it protects nothing. */
export const DEFAULT_SECRET = "emulator-secret";

const HOST_NAME = /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i;

const variables = z.object({
  EMULATOR_HOST: z.string().default("127.0.0.1"),
  EMULATOR_PORT: wholeNumber(0, 65_535, 5080),
  EMULATOR_APP_ID: appId(2222223),
  EMULATOR_SECRET: z.string().default(DEFAULT_SECRET),
  EMULATOR_ERRORS: oneOf(["body", "status"]),
  EMULATOR_CODES: oneOf(["cmi", "number"]),
  EMULATOR_BOOLEANS: oneOf(["boolean", "string"]),
  EMULATOR_SBC: hostName("sbc.emulator.example"),
  EMULATOR_DATA: z.string().optional(),
  EMULATOR_ANSWER_TIMEOUT_MS: wholeNumber(1, 60_000, 5000),
  EMULATOR_ALLOWED_HOSTS: hostNames(),
});

/** How the emulator listens, whose account it holds, and how it reads what PIOPIY's document leaves open. */
export interface EmulatorSettings {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly appId: number;
  readonly secret: string;
  /** Where an error shows: in the body of an HTTP 200, or as the HTTP status too. */
  readonly errors: "body" | "status";
  /** `"cmi-420"`, or `420` and `"error": true` with it. */
  readonly codes: "cmi" | "number";
  /** `true`, or `"true"`. */
  readonly booleans: "boolean" | "string";
  /** The host name that endpoints have as their `connect_URL`. */
  readonly sbc: string;
  /** The file that keeps the endpoints between starts; without one they live as long as the emulator. */
  readonly dataFile: string | undefined;
  /** How long an answer URL may take. */
  readonly answerTimeoutMs: number;
  /** The host names that requests for control routes may have besides the emulator's own. */
  readonly allowedHosts: readonly string[];
}

/** Holds every mistake of the settings, one sentence each, none with the secret in it. */
export class EmulatorSettingsError extends Error {
  constructor(readonly mistakes: string[]) {
    super(
      `The emulator's settings have mistakes:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`,
    );
  }
}

/**
 * Reads the `EMULATOR_` variables, or throws one `EmulatorSettingsError`. White space around a value is cut off, and an empty
 * variable counts as not set.
 */
export function readEmulatorSettings(env: Record<string, string | undefined>): EmulatorSettings {
  const names = Object.keys(variables.shape);
  const given = Object.fromEntries(names.map((name) => [name, env[name]?.trim() || undefined]));
  const quoted = names.filter((name) => /^(["'`]).*\1$/s.test(given[name] ?? ""));
  if (quoted.length > 0) {
    throw new EmulatorSettingsError(
      quoted.map((name) => `${name} must not have quotes around its value. Remove the quotes.`),
    );
  }
  const { success, data, error } = variables.safeParse(given);
  if (!success) {
    throw new EmulatorSettingsError(error.issues.map(({ path, message }) => `${String(path[0])} ${message}`));
  }
  return {
    host: data.EMULATOR_HOST,
    port: data.EMULATOR_PORT,
    appId: data.EMULATOR_APP_ID,
    secret: data.EMULATOR_SECRET,
    errors: data.EMULATOR_ERRORS,
    codes: data.EMULATOR_CODES,
    booleans: data.EMULATOR_BOOLEANS,
    sbc: data.EMULATOR_SBC,
    dataFile: data.EMULATOR_DATA,
    answerTimeoutMs: data.EMULATOR_ANSWER_TIMEOUT_MS,
    allowedHosts: data.EMULATOR_ALLOWED_HOSTS,
  };
}

function wholeNumber(minimum: number, maximum: number, fallback: number) {
  return z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum, {
      error: wrong(`must be a whole number from ${minimum} to ${maximum}`),
    })
    .transform(Number)
    .default(fallback);
}

/** The value is not shown when it is wrong: it may be the secret, put into the wrong variable. */
function appId(fallback: number) {
  return z
    .string()
    .refine((text) => /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text)), {
      error: "must be a whole number from 1.",
    })
    .transform(Number)
    .default(fallback);
}

function oneOf<const Choice extends string>(choices: readonly [Choice, Choice]) {
  return z.enum(choices, { error: wrong(`must be ${choices.join(" or ")}`) }).default(choices[0]);
}

function hostName(fallback: string) {
  return z
    .string()
    .regex(HOST_NAME, { error: wrong("must be a host name alone, without scheme or port") })
    .default(fallback);
}

function hostNames() {
  const isHost = (text: string) => /^[\w-]+(\.[\w-]+)*$/.test(text) || isIP(text) !== 0;
  return z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
    .refine((names) => names.every(isHost), {
      error: wrong("must hold host names or addresses, comma separated, without a scheme or a port"),
    });
}

function wrong(rule: string): (issue: { input: unknown }) => string {
  return ({ input }) => `${rule}; it is ${JSON.stringify(input)}.`;
}

/** Something outside the emulator is in its way; the message says what, and what to change. */
export class EmulatorError extends Error {}

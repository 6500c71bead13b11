import { isIP } from "node:net";
import { z } from "zod";

/** Published with the emulator, so it protects nothing. */
export const DEFAULT_SECRET = "emulator-secret";

const HOST_NAME = /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i;

const variables = z.object({
  EMULATOR_HOST: z.string().default("127.0.0.1"),
  /** 0 lets the system choose. */
  EMULATOR_PORT: wholeNumber(0, 65_535, 5080),
  EMULATOR_APP_ID: z
    .string()
    // The value is not shown when it is invalid: it may be the secret, put into the wrong variable.
    .refine((text) => /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text)), {
      error: "must be a whole number from 1.",
    })
    .transform(Number)
    .default(2222223),
  EMULATOR_SECRET: z.string().default(DEFAULT_SECRET),
  /** Where an error shows: in the body of an HTTP 200, or as the HTTP status too. */
  EMULATOR_ERRORS: oneOf("body", "status"),
  /** `"cmi-420"`, or `420` and `"error": true` with it. */
  EMULATOR_CODES: oneOf("cmi", "number"),
  /** `true`, or `"true"`. */
  EMULATOR_BOOLEANS: oneOf("boolean", "string"),
  /** The host name that endpoints have as their `connect_URL`. */
  EMULATOR_SBC: z
    .string()
    .regex(HOST_NAME, { error: invalid("must be a host name alone, without scheme or port") })
    .default("sbc.emulator.example"),
  /** The file that keeps the endpoints between starts; without one they live as long as the emulator. */
  EMULATOR_DATA: z.string().optional(),
  /** How long an answer URL may take. */
  EMULATOR_ANSWER_TIMEOUT_MS: wholeNumber(1, 60_000, 5000),
  /** The host names that requests for control routes may have besides the emulator's own. */
  EMULATOR_ALLOWED_HOSTS: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
    .refine((names) => names.every((name) => /^[\w-]+(\.[\w-]+)*$/.test(name) || isIP(name) !== 0), {
      error: invalid("must hold host names or addresses, comma separated, without a scheme or a port"),
    }),
});

const settingsSchema = variables.transform((values) => ({
  host: values.EMULATOR_HOST,
  port: values.EMULATOR_PORT,
  appId: values.EMULATOR_APP_ID,
  secret: values.EMULATOR_SECRET,
  errors: values.EMULATOR_ERRORS,
  codes: values.EMULATOR_CODES,
  booleans: values.EMULATOR_BOOLEANS,
  sbc: values.EMULATOR_SBC,
  dataFile: values.EMULATOR_DATA,
  answerTimeoutMs: values.EMULATOR_ANSWER_TIMEOUT_MS,
  allowedHosts: values.EMULATOR_ALLOWED_HOSTS,
}));

/** How the emulator listens, whose account it holds, and how it reads what PIOPIY's document leaves open. */
export type EmulatorSettings = Readonly<z.output<typeof settingsSchema>>;

/** A setting, or what it names, prevents the emulator from working; the message says what to change. */
export class EmulatorError extends Error {}

/** Holds every mistake of the settings, one sentence each, none with the secret in it. */
export class EmulatorSettingsError extends EmulatorError {
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
  const { success, data, error } = settingsSchema.safeParse(given);
  if (success) return data;
  throw new EmulatorSettingsError(error.issues.map(({ path, message }) => `${String(path[0])} ${message}`));
}

function wholeNumber(minimum: number, maximum: number, fallback: number) {
  return z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum, {
      error: invalid(`must be a whole number from ${minimum} to ${maximum}`),
    })
    .transform(Number)
    .default(fallback);
}

function oneOf<const Choice extends string>(first: Choice, second: Choice) {
  return z.enum([first, second], { error: invalid(`must be ${first} or ${second}`) }).default(first);
}

function invalid(rule: string): (issue: { input: unknown }) => string {
  return ({ input }) => `${rule}; it is ${JSON.stringify(input)}.`;
}

import { isIP } from "node:net";
import { z } from "zod";

/** The default secret. It is published with the emulator, so it protects nothing. */
export const DEFAULT_SECRET = "emulator-secret";

const HOST_NAME = /^[a-z\d]([a-z\d-]*[a-z\d])?(\.[a-z\d]([a-z\d-]*[a-z\d])?)*$/i;

const variables = z.object({
  EMULATOR_HOST: z.string().default("127.0.0.1"),
  /** 0 lets the system choose. */
  EMULATOR_PORT: wholeNumber(0, 65_535).default(5080),
  EMULATOR_APP_ID: z
    .string()
    // An invalid value is not shown, because it may be the secret, set in the wrong variable.
    .refine((text) => /^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text)), {
      error: "must be a whole number of at least 1.",
    })
    .transform(Number)
    .default(2222223),
  EMULATOR_SECRET: z.string().default(DEFAULT_SECRET),
  /** Where errors are reported: only in the body of an HTTP 200, or in the body and as the HTTP status. */
  EMULATOR_ERRORS: oneOf("body", "status"),
  /** The form of codes: `"cmi-420"`, or `420` with `"error": true`. */
  EMULATOR_CODES: oneOf("cmi", "number"),
  /** The form of booleans: `true`, or `"true"`. */
  EMULATOR_BOOLEANS: oneOf("boolean", "string"),
  /** The host name in the `connect_URL` of endpoints. Without it, they have the address for SIP, if there is one. */
  EMULATOR_SBC: z
    .string()
    .regex(HOST_NAME, { error: invalid("must be a host name without scheme and port") })
    .optional(),
  /** The port for SIP over UDP and TCP. 0 lets the system choose. Without it, phones can only use WebSockets. */
  EMULATOR_SIP_PORT: wholeNumber(0, 65_535),
  /** The file that stores the endpoints between starts. Without a file, the endpoints are lost when the emulator stops. */
  EMULATOR_DATA: z.string().optional(),
  /** Milliseconds to wait for the response of an answer URL. */
  EMULATOR_ANSWER_TIMEOUT_MS: wholeNumber(1, 60_000).default(5000),
  /** Further host names that are allowed in requests for control routes. */
  EMULATOR_ALLOWED_HOSTS: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
    .refine((names) => names.every((name) => /^[\w-]+(\.[\w-]+)*$/.test(name) || isIP(name) !== 0), {
      error: invalid("must be a comma-separated list of host names or addresses without scheme and port"),
    }),
  /** Further origins of web pages that may connect phones over WebSocket. */
  EMULATOR_ALLOWED_ORIGINS: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
    .refine((origins) => origins.every(isOrigin), {
      error: invalid("must be a comma-separated list of origins such as https://phones.example"),
    }),
});

const settingsSchema = variables
  .refine(
    ({ EMULATOR_PORT, EMULATOR_SIP_PORT }) => EMULATOR_SIP_PORT !== EMULATOR_PORT || EMULATOR_PORT === 0,
    {
      path: ["EMULATOR_SIP_PORT"],
      error:
        "must not be the port of EMULATOR_PORT, which is for HTTP. Set it to another port, or to 0 for any free port.",
    },
  )
  .transform((values) => ({
    host: values.EMULATOR_HOST,
    port: values.EMULATOR_PORT,
    appId: values.EMULATOR_APP_ID,
    secret: values.EMULATOR_SECRET,
    errors: values.EMULATOR_ERRORS,
    codes: values.EMULATOR_CODES,
    booleans: values.EMULATOR_BOOLEANS,
    sbc: values.EMULATOR_SBC,
    sipPort: values.EMULATOR_SIP_PORT,
    dataFile: values.EMULATOR_DATA,
    answerTimeoutMs: values.EMULATOR_ANSWER_TIMEOUT_MS,
    allowedHosts: values.EMULATOR_ALLOWED_HOSTS,
    allowedOrigins: values.EMULATOR_ALLOWED_ORIGINS,
  }));

/** The address and the account of the emulator, and its behaviour where PIOPIY's documentation specifies none. */
export type EmulatorSettings = Readonly<z.output<typeof settingsSchema>>;

/** A setting, or the file or port that it names, cannot be used. The message says what to change. */
export class EmulatorError extends Error {}

/** Lists all problems of the settings, one sentence each, without the secret. */
export class EmulatorSettingsError extends EmulatorError {
  constructor(readonly mistakes: string[]) {
    super(`The emulator's settings are invalid:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`);
  }
}

/**
 * Reads the `EMULATOR_` variables, or throws one `EmulatorSettingsError`. White space around a value is removed, and an empty
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

function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .refine((text) => /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum, {
      error: invalid(`must be a whole number from ${minimum} to ${maximum}`),
    })
    .transform(Number)
    .optional();
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
}

function oneOf<const Choice extends string>(first: Choice, second: Choice) {
  return z.enum([first, second], { error: invalid(`must be ${first} or ${second}`) }).default(first);
}

function invalid(rule: string): (issue: { input: unknown }) => string {
  return ({ input }) => `${rule} (got ${JSON.stringify(input)}).`;
}

import { Environment, type Variables } from "./environment.js";

const PIOPIY = "https://piopiy.telecmi.com/v1/endpoint/";
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** The account and the address that upstream calls use. The secret goes from here to the client and nowhere else. */
export interface Upstream {
  readonly url: string;
  readonly appId: number;
  readonly secret: string;
}

export interface Config {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** `emulator`: start the embedded stand-in and use its address and account. */
  readonly upstream: Upstream | "emulator";
  /** Milliseconds for one attempt upstream. */
  readonly timeoutMs: number;
  /** Milliseconds that one GraphQL operation may spend upstream, all its calls together. */
  readonly deadlineMs: number;
  /** Calls in flight upstream at any one time. */
  readonly maxConcurrency: number;
  /** The key of the target list in a PCMO connect action; PIOPIY's own documents disagree. */
  readonly pcmoTargetsKey: "call" | "connect";
  readonly graphiql: boolean;
  readonly introspection: boolean;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** Holds every mistake of a configuration, one sentence each, none with a secret in it. */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(`The configuration has mistakes:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`);
  }
}

/** Reads the gateway's settings, or throws one `ConfigError` that lists all mistakes. */
export function readConfig(variables: Variables): Config {
  const environment = new Environment(variables);
  const config: Config = {
    host: environment.text("HOST") ?? "127.0.0.1",
    port: environment.wholeNumber("PORT", 0, 65_535, 4000),
    upstream: readUpstream(environment),
    timeoutMs: environment.wholeNumber("PIOPIY_TIMEOUT_MS", 1, 120_000, 5000),
    deadlineMs: environment.wholeNumber("PIOPIY_DEADLINE_MS", 1, 600_000, 10_000),
    maxConcurrency: environment.wholeNumber("PIOPIY_MAX_CONCURRENCY", 1, 10_000, 32),
    pcmoTargetsKey: environment.oneOf("PCMO_TARGETS_KEY", ["call", "connect"], "call"),
    graphiql: environment.flag("GRAPHIQL"),
    introspection: environment.flag("INTROSPECTION"),
    logLevel: environment.oneOf("LOG_LEVEL", LOG_LEVELS, "info"),
  };
  environment.required("AUTH", "none lets everyone who reaches this address do everything");
  environment.oneOf("AUTH", ["none"], "none");
  if (environment.mistakes.length > 0) throw new ConfigError(environment.mistakes);
  return config;
}

function readUpstream(environment: Environment): Upstream | "emulator" {
  const address = environment.text("PIOPIY_URL") ?? PIOPIY;
  const allowHttp = environment.flag("PIOPIY_ALLOW_HTTP");
  if (address === "emulator") return "emulator";
  return {
    url: readUrl(address, allowHttp, environment.mistakes),
    appId: readAppId(environment),
    secret: environment.required("PIOPIY_SECRET", "the secret of the PIOPIY account"),
  };
}

function readUrl(address: string, allowHttp: boolean, mistakes: string[]): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    mistakes.push('PIOPIY_URL must be an address that begins with https://, or the word "emulator".');
    return address;
  }
  if (url.username || url.password || url.search || url.hash) {
    mistakes.push("PIOPIY_URL must hold no user, password, query or fragment.");
  }
  if (url.protocol === "http:" && !allowHttp && !LOOPBACK.test(url.hostname)) {
    mistakes.push(
      "PIOPIY_URL must begin with https://, since each call carries the account's secret. " +
        "Plain http is for a loopback address, or with PIOPIY_ALLOW_HTTP=true inside a closed network.",
    );
  }
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

/** The value is not shown when it is wrong: it may be the secret, put into the wrong variable. */
function readAppId(environment: Environment): number {
  const text = environment.required("PIOPIY_APP_ID", "the app id of the PIOPIY account");
  if (text !== "" && (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(Number(text)))) {
    environment.mistakes.push("PIOPIY_APP_ID must be a whole number, as PIOPIY's console shows it.");
  }
  return Number(text);
}

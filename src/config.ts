import { isIP, isIPv6 } from "node:net";
import { availableParallelism } from "node:os";
import { type AnswerSettings, readAnswerSettings } from "./answer-url/settings.js";
import { type AuthSettings, readAuth } from "./auth/auth-settings.js";
import { Environment, isLoopback, type Variables } from "./environment.js";
import { type Limits, readLimits } from "./limits.js";
import { Secret } from "./secret.js";
import { readTrustedDocuments, type TrustedDocuments } from "./trusted-documents.js";

const PIOPIY = "https://piopiy.telecmi.com/v1/endpoint/";
/** What `.env.emulator` and the emulator publish. */
const PUBLISHED_ANSWER_URL_SECRET = "published-and-so-for-the-emulator-only";
const PUBLISHED_SECRET = "emulator-secret";
const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** The account and the address that upstream calls use. The secret goes from here to the client and nowhere else. */
export interface Upstream {
  readonly url: string;
  readonly appId: number;
  readonly secret: Secret;
}

export interface Config {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** How many processes listen on the port. */
  readonly workers: number;
  /** The addresses and networks of proxies that are believed when they say where a request came from. */
  readonly trustedProxies: readonly string[];
  readonly auth: AuthSettings;
  /** The host names that requests may have besides the gateway's own, where nobody needs a credential. */
  readonly allowedHosts: readonly string[];
  /** `emulator`: start the embedded stand-in and use its address and account. */
  readonly upstream: Upstream | "emulator";
  /** Milliseconds for one attempt upstream. */
  readonly timeoutMs: number;
  /** Milliseconds that one GraphQL operation may spend upstream, all its calls together. */
  readonly deadlineMs: number;
  /** Calls in flight upstream at any one time. */
  readonly maxConcurrency: number;
  /** Milliseconds for which a PIOPIY that is out of order is not asked. */
  readonly breakerResetMs: number;
  /** Milliseconds for which what was read may be answered again; 0 keeps nothing. */
  readonly cacheTtlMs: number;
  /** The key of the target list in a PCMO connect action; PIOPIY's own documents disagree. */
  readonly pcmoTargetsKey: "call" | "connect";
  readonly limits: Limits;
  /** Cost units that one caller may spend a minute; 0 is no limit. */
  readonly rateLimitPerMinute: number;
  /** The store that several copies share. Its address may hold a password. */
  readonly redisUrl: Secret | undefined;
  /** The origins of pages, browser extensions and apps that may call, such as `https://app.example.com`. */
  readonly corsOrigins: readonly string[];
  /** Whether browsers may reach the gateway's host by https only. */
  readonly hsts: boolean;
  readonly trustedDocuments: TrustedDocuments;
  /** Undefined: answer URLs are not made. */
  readonly answer: AnswerSettings | undefined;
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
    workers: readWorkers(environment),
    trustedProxies: readTrustedProxies(environment),
    auth: readAuth(environment),
    allowedHosts: environment.hosts("ALLOWED_HOSTS"),
    upstream: readUpstream(environment),
    timeoutMs: environment.wholeNumber("PIOPIY_TIMEOUT_MS", 1, 120_000, 5000),
    deadlineMs: environment.wholeNumber("PIOPIY_DEADLINE_MS", 1, 600_000, 10_000),
    maxConcurrency: environment.wholeNumber("PIOPIY_MAX_CONCURRENCY", 1, 10_000, 32),
    breakerResetMs: environment.wholeNumber("BREAKER_RESET_MS", 1, 600_000, 5000),
    cacheTtlMs: environment.wholeNumber("CACHE_TTL_MS", 0, 3_600_000, 10_000),
    pcmoTargetsKey: environment.oneOf("PCMO_TARGETS_KEY", ["call", "connect"], "call"),
    limits: readLimits(environment),
    rateLimitPerMinute: environment.wholeNumber("RATE_LIMIT_PER_MINUTE", 0, 1_000_000_000, 60_000),
    redisUrl: readRedisUrl(environment),
    corsOrigins: readCorsOrigins(environment),
    hsts: environment.flag("HSTS"),
    trustedDocuments: readTrustedDocuments(environment),
    answer: readAnswerSettings(environment),
    graphiql: environment.flag("GRAPHIQL"),
    introspection: environment.flag("INTROSPECTION"),
    logLevel: environment.oneOf("LOG_LEVEL", LOG_LEVELS, "info"),
  };
  refusePublishedSecrets(config, environment);
  if (environment.mistakes.length > 0) throw new ConfigError(environment.mistakes);
  return config;
}

function readUpstream(environment: Environment): Upstream | "emulator" {
  const address = environment.text("PIOPIY_URL") ?? PIOPIY;
  const allowHttp = environment.flag("PIOPIY_ALLOW_HTTP");
  if (address === "emulator") return "emulator";
  const url = environment.url("PIOPIY_URL", address, { allowHttp, alternative: ', or the word "emulator"' });
  if (url.includes("?")) environment.mistakes.push("PIOPIY_URL must hold no query.");
  return {
    url: url.endsWith("/") ? url : `${url}/`,
    appId: readAppId(environment),
    secret: new Secret(environment.required("PIOPIY_SECRET", "the secret of the PIOPIY account")),
  };
}

/** Refuses the secrets that everybody can read, but for emulators: the embedded one, one on loopback, or one in a closed network. */
function refusePublishedSecrets({ upstream, answer }: Config, { mistakes }: Environment): void {
  if (upstream === "emulator" || isLoopback(upstream.url)) return;
  if (answer?.secrets.some((secret) => secret.reveal() === PUBLISHED_ANSWER_URL_SECRET)) {
    mistakes.push(
      "ANSWER_URL_SECRET is the one that .env.emulator publishes, so everybody can sign answer URLs with it. It is allowed with " +
        "PIOPIY_URL=emulator or a loopback PIOPIY_URL only. Set one of your own, such as `openssl rand -hex 32` prints.",
    );
  }
  if (upstream.secret.reveal() === PUBLISHED_SECRET && upstream.url.startsWith("https:")) {
    mistakes.push(
      "PIOPIY_SECRET is the one that the emulator publishes. It is allowed with an emulator only. Set the secret of your PIOPIY account.",
    );
  }
}

/** The value is not shown when it is wrong: it may be the secret, put into the wrong variable. */
function readAppId(environment: Environment): number {
  const text = environment.required("PIOPIY_APP_ID", "the app id of the PIOPIY account");
  if (text !== "" && (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(Number(text)))) {
    environment.mistakes.push("PIOPIY_APP_ID must be a whole number, as PIOPIY's console shows it.");
  }
  return Number(text);
}

/** The value is not shown when it is wrong: it may hold a password. */
function readRedisUrl(environment: Environment): Secret | undefined {
  const text = environment.text("REDIS_URL");
  if (text !== undefined && !(URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol))) {
    environment.mistakes.push("REDIS_URL must be an address that begins with redis:// or rediss://.");
  }
  return text === undefined ? undefined : new Secret(text);
}

function readWorkers(environment: Environment): number {
  if (environment.text("WORKERS") === "auto") return availableParallelism();
  return environment.wholeNumber("WORKERS", 1, 256, 1, ', or the word "auto"');
}

function readTrustedProxies(environment: Environment): string[] {
  return environment.list("TRUSTED_PROXIES").map((text) => {
    const [address = "", bits = "0", ...rest] = text.split("/");
    const isNetwork = /^\d+$/.test(bits) && Number(bits) <= (isIPv6(address) ? 128 : 32) && rest.length === 0;
    if (isIP(address) === 0 || !isNetwork) {
      environment.mistakes.push(
        `TRUSTED_PROXIES must hold addresses or networks like 10.0.0.0/8, comma separated; ${JSON.stringify(text)} is none.`,
      );
    }
    return text;
  });
}

function readCorsOrigins(environment: Environment): string[] {
  return environment.list("CORS_ORIGINS").map((text) => {
    if (!isOrigin(text)) {
      environment.mistakes.push(
        "CORS_ORIGINS must hold origins like https://app.example.com or capacitor://localhost, comma separated, without a path; " +
          `${JSON.stringify(text)} is none.`,
      );
    }
    return text;
  });
}

/** Tells whether a text is `scheme://host` or `scheme://host:port` as a browser sends it in the header `Origin`. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\*]+$/.test(text) || !URL.canParse(text)) return false;
  // WHATWG's URL has an origin for the schemes of the web only, and writes "null" for those of extensions and apps.
  const { host, origin } = new URL(text);
  return origin === text || (origin === "null" && host !== "");
}

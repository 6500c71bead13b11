import { readFileSync } from "node:fs";
import { isIP, isIPv6 } from "node:net";
import { availableParallelism } from "node:os";
import { GraphQLError, parse } from "graphql";
import { z } from "zod";
import {
  address,
  Environment,
  flag,
  isLoopback,
  list,
  listOf,
  oneOf,
  required,
  type Variables,
  wholeNumber,
} from "./environment.js";
import { Secret } from "./secret.js";

/**
 * What clients may be allowed: to read endpoints and write PCMO documents, to change endpoints, and to read
 * the password of an endpoint.
 */
export const scopes = ["sip:read", "sip:write", "sip:password"] as const;

export type Scope = (typeof scopes)[number];

const PIOPIY = "https://piopiy.telecmi.com/v1/endpoint/";
/** What `.env.emulator` and the emulator publish. */
const PUBLISHED_ANSWER_URL_SECRET = "published-and-so-for-the-emulator-only";
const PUBLISHED_SECRET = "emulator-secret";
const SHORTEST_ANSWER_URL_SECRET = 32;
const HOST_NAME = /^[\w-]+(\.[\w-]+)*\.?$/;
const SCOPES = `(?:${scopes.join("|")})`;
const API_KEY = new RegExp(`^([\\w.-]{1,64}):([\\da-fA-F]{64}):(${SCOPES}(?:\\+${SCOPES})*)$`);

/** The gateway's settings, as their schemas give them. */
export type Config = Readonly<ReturnType<typeof readSettings>>;

/** Holds every mistake of a configuration, one sentence each, none with a secret in it. */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(`The configuration has mistakes:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`);
  }
}

/** Reads the gateway's settings, or throws one `ConfigError` that lists all mistakes. */
export function readConfig(variables: Variables): Config {
  const environment = new Environment(variables);
  const config = readSettings(environment);
  if (environment.mistakes.size > 0) throw new ConfigError([...environment.mistakes]);
  return config;
}

function readSettings(environment: Environment) {
  return {
    host: environment.read("HOST", z.string().default("127.0.0.1")),
    /** 0 lets the system choose. */
    port: environment.read("PORT", wholeNumber(0, 65_535, 4000)),
    /** How many processes listen on the port. */
    workers: environment.read("WORKERS", wholeNumber(1, 256, 1, availableParallelism())),
    /** The addresses and networks of proxies whose `X-Forwarded-For` is believed. */
    trustedProxies: environment.read(
      "TRUSTED_PROXIES",
      listOf(isNetwork, "addresses or networks like 10.0.0.0/8, comma separated"),
    ),
    /** How clients are known. With `none` everybody may do everything. */
    auth: readAuth(environment),
    /** The host names that requests may have besides the gateway's own, where nobody needs a credential. */
    allowedHosts: environment.read(
      "ALLOWED_HOSTS",
      listOf(
        (host) => HOST_NAME.test(host) || isIP(host) !== 0,
        "host names or addresses like gateway or 192.0.2.1, comma separated, without a scheme or a port",
      ),
    ),
    /** `emulator`: starts the embedded emulator and uses its address and account. */
    upstream: readUpstream(environment),
    /** Milliseconds for one attempt upstream. */
    timeoutMs: environment.read("PIOPIY_TIMEOUT_MS", wholeNumber(1, 120_000, 5000)),
    /** Milliseconds that one GraphQL operation may spend upstream, all its requests together. */
    deadlineMs: environment.read("PIOPIY_DEADLINE_MS", wholeNumber(1, 600_000, 10_000)),
    /** Upstream requests in flight at any one time. */
    maxConcurrency: environment.read("PIOPIY_MAX_CONCURRENCY", wholeNumber(1, 10_000, 32)),
    /** Milliseconds for which the circuit breaker stays open. */
    breakerResetMs: environment.read("BREAKER_RESET_MS", wholeNumber(1, 600_000, 5000)),
    /** Milliseconds for which what was read may be served from cache; 0 turns the cache off. */
    cacheTtlMs: environment.read("CACHE_TTL_MS", wholeNumber(0, 3_600_000, 10_000)),
    /** The key of the target list in a PCMO connect action; PIOPIY's own documents disagree. */
    pcmoTargetsKey: environment.read("PCMO_TARGETS_KEY", oneOf("call", "connect").default("call")),
    /** What one operation may have at most. */
    limits: {
      bodyBytes: environment.read("MAX_BODY_BYTES", wholeNumber(1, 100_000_000, 100_000)),
      tokens: environment.read("MAX_TOKENS", wholeNumber(1, 1_000_000, 2000)),
      depth: environment.read("MAX_DEPTH", wholeNumber(1, 1000, 10)),
      aliases: environment.read("MAX_ALIASES", wholeNumber(0, 100_000, 64)),
      rootFields: environment.read("MAX_ROOT_FIELDS", wholeNumber(1, 100_000, 64)),
      directives: environment.read("MAX_DIRECTIVES", wholeNumber(0, 100_000, 20)),
      cost: environment.read("MAX_COST", wholeNumber(1, 1_000_000_000, 5000)),
    },
    /** Cost units that one client may spend a minute; 0 is no limit. */
    rateLimitPerMinute: environment.read("RATE_LIMIT_PER_MINUTE", wholeNumber(0, 1_000_000_000, 60_000)),
    /** The store that several copies share. Its address may hold a password. */
    redisUrl: environment.read("REDIS_URL", redisUrl.optional()),
    /** The origins of pages, browser extensions and apps that may send requests. */
    corsOrigins: environment.read(
      "CORS_ORIGINS",
      listOf(
        isOrigin,
        "origins like https://app.example.com or capacitor://localhost, comma separated, without a path",
      ),
    ),
    /** Whether browsers may reach the gateway's host by https only. */
    hsts: environment.read("HSTS", flag),
    trustedDocuments: readTrustedDocuments(environment),
    /** Undefined: no answer URLs are made. */
    answer: readAnswerSettings(environment),
    graphiql: environment.read("GRAPHIQL", flag),
    introspection: environment.read("INTROSPECTION", flag),
    logLevel: environment.read(
      "LOG_LEVEL",
      oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent").default("info"),
    ),
  };
}

const redisUrl = z
  .url({ protocol: /^rediss?$/, error: "must be an address that begins with redis:// or rediss://." })
  .transform((url) => new Secret(url));

/** No mistake shows any part of an entry: it may be a key, put there in place of its hash. */
const apiKeys = list(
  z
    .string()
    .regex(API_KEY, {
      abort: true,
      error: ({ path }) =>
        `must hold entries like name:sha256-hex:scope+scope, comma separated, with scopes of ${scopes.join(", ")}; ` +
        `entry ${Number(path?.at(-1)) + 1} is not one.`,
    })
    .transform((entry) => {
      const [, name = "", hash = "", given = ""] = API_KEY.exec(entry) ?? [];
      return { name, sha256: Buffer.from(hash, "hex"), scopes: given.split("+") as Scope[] };
    }),
)
  .refine((keys) => keys.length > 0, "must be set: one entry or more, as `npm run api-key` makes them.")
  .refine(
    (keys) => new Set(keys.map(({ sha256 }) => sha256.toString("hex"))).size === keys.length,
    "must hold each key once.",
  );

function readAuth(environment: Environment) {
  const reason = "api-key, jwt, or none, which lets everyone who reaches this address do everything";
  const mode = environment.read("AUTH", required(reason).pipe(oneOf("none", "api-key", "jwt")));
  if (mode === "api-key") return { mode, keys: environment.read("API_KEYS", apiKeys) };
  if (mode !== "jwt") return { mode };
  const jwksUrl = required("where the issuer of the tokens publishes its keys").pipe(
    address({ allowQuery: true }),
  );
  return {
    mode,
    jwksUrl: environment.read("JWT_JWKS_URL", jwksUrl),
    issuer: environment.read("JWT_ISSUER", required("the claim `iss` that tokens must have")),
    audience: environment.read("JWT_AUDIENCE", required("the claim `aud` that tokens must have")),
  };
}

/** Reads the account and the address of upstream requests. The secret goes from here to the transport and nowhere else. */
function readUpstream(environment: Environment) {
  const allowHttp = environment.read("PIOPIY_ALLOW_HTTP", flag);
  const given = environment.text("PIOPIY_URL") ?? PIOPIY;
  if (given === "emulator") return "emulator" as const;
  const url = address({ allowHttp, alternative: ', or the word "emulator"' })
    .transform((url) => url.replace(/\/?$/, "/"))
    .default(PIOPIY);
  // The value is not shown: it may be the secret, put into the wrong variable.
  const appId = required("the app id of the PIOPIY account")
    .refine(
      (id) => /^[1-9]\d*$/.test(id) && Number.isSafeInteger(Number(id)),
      "must be a whole number, as PIOPIY's console shows it.",
    )
    .transform(Number);
  const secret = required("the secret of the PIOPIY account")
    .refine(
      (secret) => secret !== PUBLISHED_SECRET || isLoopback(given) || !/^https:/i.test(given),
      "is the one that the emulator publishes. It is allowed with an emulator only. Set the secret of your PIOPIY account.",
    )
    .transform((secret) => new Secret(secret));
  return {
    url: environment.read("PIOPIY_URL", url),
    appId: environment.read("PIOPIY_APP_ID", appId),
    secret: environment.read("PIOPIY_SECRET", secret),
  };
}

/** Reads which documents are known by their hash, and what becomes of others: they run, are logged and run, or are refused. */
function readTrustedDocuments(environment: Environment) {
  const mode = environment.read("TRUSTED_DOCUMENTS", oneOf("off", "log", "enforce").default("off"));
  if (mode !== "log" && mode !== "enforce") return { mode, documents: new Map<string, string>() };
  const manifest = required("the manifest of the documents to trust").transform(readManifest);
  return { mode, documents: environment.read("TRUSTED_DOCUMENTS_FILE", manifest) };
}

/** Reads what the client preset of GraphQL Code Generator writes as `persisted-documents.json`. No mistake shows any of it. */
function readManifest(file: string, context: z.RefinementCtx): Map<string, string> {
  try {
    const json = JSON.parse(readFileSync(file, "utf8"));
    const documents = Object.entries(z.record(z.string(), z.string()).parse(json));
    for (const [, document] of documents) parse(document);
    return new Map(documents);
  } catch (error) {
    const reason = error instanceof GraphQLError ? "a document does not parse" : Object(error).code;
    context.addIssue(
      `must name a JSON file like {"hash": "query …"}; ${JSON.stringify(file)} is none${reason ? ` (${reason})` : ""}.`,
    );
    return z.NEVER;
  }
}

/** Reads where answer URLs lead, and what signs them; undefined where neither is set. */
function readAnswerSettings(environment: Environment) {
  if (!environment.text("PUBLIC_URL") && !environment.text("ANSWER_URL_SECRET")) return undefined;
  const upstream = environment.text("PIOPIY_URL") ?? PIOPIY;
  const publicUrl = address().transform((url) => url.replace(/\/+$/, ""));
  const error = `must be one secret of ${SHORTEST_ANSWER_URL_SECRET} characters or more, or two, comma separated, while it is changed.`;
  const secret = z
    .string()
    .min(SHORTEST_ANSWER_URL_SECRET, error)
    .refine(
      (secret) => secret !== PUBLISHED_ANSWER_URL_SECRET || upstream === "emulator" || isLoopback(upstream),
      "is the one that .env.emulator publishes, so everybody can sign answer URLs with it. It is allowed with " +
        "PIOPIY_URL=emulator or a loopback PIOPIY_URL only. Set one of your own, such as `openssl rand -hex 32` prints.",
    )
    .transform((secret) => new Secret(secret));
  const secrets = list(secret)
    .refine(({ length }) => length === 1 || length === 2, error)
    .transform((secrets) => secrets as [Secret, ...Secret[]]);
  return {
    /** Without a slash at its end. Undefined: the address that the gateway listens on, which the embedded emulator reaches. */
    publicUrl: environment.read(
      "PUBLIC_URL",
      upstream === "emulator"
        ? publicUrl.optional()
        : required("where PIOPIY reaches this gateway, for answer URLs").pipe(publicUrl),
    ),
    /** The first signs; all are accepted, so that a secret can be changed without breaking the URLs in use. */
    secrets: environment.read("ANSWER_URL_SECRET", secrets),
  };
}

function isNetwork(network: string): boolean {
  const [ip = "", bits = "0", ...rest] = network.split("/");
  const isLength = /^\d+$/.test(bits) && Number(bits) <= (isIPv6(ip) ? 128 : 32);
  return isIP(ip) !== 0 && isLength && rest.length === 0;
}

/** Returns whether a text is `scheme://host` or `scheme://host:port` as a browser sends it in the header `Origin`. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\*]+$/.test(text) || !URL.canParse(text)) return false;
  // WHATWG's URL has an origin for the schemes of the web only, and writes "null" for those of extensions and apps.
  const { host, origin } = new URL(text);
  return origin === text || (origin === "null" && host !== "");
}

import { readFileSync } from "node:fs";
import { isIP, isIPv6 } from "node:net";
import { availableParallelism } from "node:os";
import { GraphQLError, parse } from "graphql";
import { z } from "zod";
import type { EgressProxies } from "./egress-proxy.js";
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
import { Reloadable } from "./reloadable.js";
import { Secret } from "./secret.js";

/**
 * Scopes of clients. `sip:read` allows reading endpoints and creating PCMO documents, `sip:write` changing endpoints,
 * `sip:password` reading passwords, and `sip:self` reading one's own endpoint and changing its password.
 */
export const scopes = ["sip:read", "sip:write", "sip:password", "sip:self"] as const;

export type Scope = (typeof scopes)[number];

/** Scopes that an API key may have. A key belongs to no person, so it has no own endpoint. */
export const apiKeyScopes = scopes.filter((scope) => scope !== "sip:self");

/** Variables whose value may be in a file, which `NAME_FILE` names. */
export const fileVariables = ["PIOPIY_SECRET", "API_KEYS", "REDIS_URL", "ANSWER_URL_SECRET"] as const;

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 4000;
const OPERATION_NAME = /^[_A-Za-z]\w*$/;
/** Origins of pages that a web server on the same machine serves. */
const LOCAL_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;
const PIOPIY = "https://piopiy.telecmi.com/v1/endpoint/";
/** Secrets that are public: those of `.env.emulator` and of the emulator. */
const PUBLISHED_ANSWER_URL_SECRET = "published-and-so-for-the-emulator-only";
const PUBLISHED_SECRET = "emulator-secret";
const SHORTEST_ANSWER_URL_SECRET = 32;
const HOST_NAME = /^[\w-]+(\.[\w-]+)*\.?$/;
const SCOPES = `(?:${scopes.join("|")})`;
const API_KEY = new RegExp(`^([\\w.-]{1,64}):([\\da-fA-F]{64}):(${SCOPES}(?:\\+${SCOPES})*)$`);

/** Settings of the gateway. */
export type Config = Readonly<ReturnType<typeof readSettings>>;

/** Lists all errors of a configuration. Each is one sentence that contains no secret. */
export class ConfigError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(`The configuration has errors:\n${mistakes.map((mistake) => `  - ${mistake}`).join("\n")}`);
  }
}

/** Reads the gateway's settings. Throws one `ConfigError` that lists all errors. */
export function readConfig(variables: Variables): Config {
  const environment = new Environment({ ...variables, ...proxyVariables(variables) }, fileVariables);
  const config = readSettings(environment);
  if (environment.mistakes.size > 0) throw new ConfigError([...environment.mistakes]);
  return config;
}

function readSettings(environment: Environment) {
  return {
    host: environment.read("HOST", z.string().default(DEFAULT_HOST)),
    /** 0 lets the system choose. */
    port: environment.read("PORT", wholeNumber(0, 65_535, DEFAULT_PORT)),
    /** The port of `/metrics` and the health routes. 0 lets the system choose. Undefined: there are no metrics. */
    metricsPort: readMetricsPort(environment),
    /** Names of operations that the metrics always contain. */
    metricsOperations: environment.read(
      "METRICS_OPERATIONS",
      listOf((name) => OPERATION_NAME.test(name), "names of GraphQL operations, comma separated"),
    ),
    /** How many processes listen on the port. */
    workers: environment.read("WORKERS", wholeNumber(1, 256, 1, availableParallelism())),
    /** Milliseconds of normal service after a signal to stop, while the gateway already reports that it is not ready. */
    shutdownDelayMs: environment.read("SHUTDOWN_DELAY_MS", wholeNumber(0, 600_000, 0)),
    /** The addresses and networks of proxies whose `X-Forwarded-For` is used. */
    trustedProxies: environment.read(
      "TRUSTED_PROXIES",
      listOf(isNetwork, "addresses or networks such as 10.0.0.0/8, comma separated"),
    ),
    /** How clients are authenticated. With `none`, everyone may do everything. */
    auth: readAuth(environment),
    /** Further allowed values of the `Host` header, for `AUTH=none`. */
    allowedHosts: environment.read(
      "ALLOWED_HOSTS",
      listOf(
        (host) => HOST_NAME.test(host) || isIP(host) !== 0,
        "host names or addresses such as gateway or 192.0.2.1, comma separated, without a scheme or a port",
      ),
    ),
    /** The address and the account of PIOPIY. `emulator`: those of the embedded emulator, which is started. */
    upstream: readUpstream(environment),
    /** The proxies for upstream requests and for the issuer's keys. */
    proxies: readProxies(environment),
    /** Milliseconds for one attempt of an upstream request. */
    timeoutMs: environment.read("PIOPIY_TIMEOUT_MS", wholeNumber(1, 120_000, 5000)),
    /** Milliseconds from the start of a GraphQL operation until all its upstream requests must be finished. */
    deadlineMs: environment.read("PIOPIY_DEADLINE_MS", wholeNumber(1, 600_000, 10_000)),
    /** Maximum number of upstream requests in flight. */
    maxConcurrency: environment.read("PIOPIY_MAX_CONCURRENCY", wholeNumber(1, 10_000, 32)),
    /** Milliseconds for which the circuit breaker stays open. */
    breakerResetMs: environment.read("BREAKER_RESET_MS", wholeNumber(1, 600_000, 5000)),
    /** Maximum age of a cached response in milliseconds; 0 turns the cache off. */
    cacheTtlMs: environment.read("CACHE_TTL_MS", wholeNumber(0, 3_600_000, 10_000)),
    /** Maximum number of endpoints that a search reads. */
    scanMaxEndpoints: environment.read("SCAN_MAX_ENDPOINTS", wholeNumber(1, 100_000, 20_000)),
    /** The key of the target list in a PCMO connect action. PIOPIY's samples and its SDK use different keys. */
    pcmoTargetsKey: environment.read("PCMO_TARGETS_KEY", oneOf("call", "connect").default("call")),
    /** Limits of one operation. */
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
    /** URL of the Redis that several gateways share. It may contain a password. */
    redisUrl: environment.read("REDIS_URL", redisUrl.optional()),
    /** Origins of pages, browser extensions and apps that may send requests. */
    corsOrigins: readCorsOrigins(environment),
    /** Whether to send Strict-Transport-Security, so that browsers use https only for the gateway's host. */
    hsts: environment.read("HSTS", flag),
    trustedDocuments: readTrustedDocuments(environment),
    /** Undefined: the gateway creates no answer URLs. */
    answer: readAnswerSettings(environment),
    graphiql: environment.read("GRAPHIQL", flag),
    introspection: environment.read("INTROSPECTION", flag),
    logLevel: environment.read(
      "LOG_LEVEL",
      oneOf("fatal", "error", "warn", "info", "debug", "trace", "silent").default("info"),
    ),
    /** `json` for programs, `pretty` for people. */
    logFormat: environment.read("LOG_FORMAT", oneOf("json", "pretty").default("json")),
    /** The URL to which spans are exported. Undefined: tracing is off. */
    tracesUrl: readTracesUrl(environment),
  };
}

/** Returns the settings in effect, for the log: without secrets, keys, documents and addresses that may contain a credential. */
export function describeConfig(config: Config): object {
  const { auth, upstream, redisUrl, proxies, corsOrigins, trustedDocuments, answer, tracesUrl, ...plain } =
    config;
  return {
    ...plain,
    auth:
      auth.mode === "api-key"
        ? {
            mode: auth.mode,
            clients: auth.keys.current.map(({ name, scopes }) => `${name}:${scopes.join("+")}`),
          }
        : auth,
    upstream: upstream === "emulator" ? upstream : upstream.url,
    redis: redisUrl !== undefined,
    proxy: proxies.http !== undefined || proxies.https !== undefined,
    corsOrigins: corsOrigins.map(String),
    trustedDocuments: trustedDocuments.mode,
    publicUrl: answer?.publicUrl,
    tracing: tracesUrl !== undefined,
  };
}

function readMetricsPort(environment: Environment): number | undefined {
  const port = environment.text("PORT") ?? String(DEFAULT_PORT);
  const metricsPort = wholeNumber(0, 65_535, 0)
    .unwrap()
    .refine((own) => own === 0 || String(own) !== port, {
      error: ({ input }) => `must differ from PORT, the port of the GraphQL API (got ${input}).`,
    });
  return environment.read("METRICS_PORT", metricsPort.optional());
}

/**
 * Reads the origins of pages, browser extensions and apps that may send requests. By default none may, except where no secret is at
 * stake: every page of this machine may use the embedded emulator, if other machines cannot reach the gateway. The check of the
 * `Host` header keeps pages of other sites from using a name that resolves to this machine.
 */
function readCorsOrigins(environment: Environment): readonly (string | RegExp)[] {
  const host = environment.text("HOST") ?? DEFAULT_HOST;
  const isLocal =
    environment.text("PIOPIY_URL") === "emulator" &&
    environment.text("AUTH") === "none" &&
    isLoopback(`http://${isIPv6(host) ? `[${host}]` : host}`);
  const origins = environment.read(
    "CORS_ORIGINS",
    listOf(
      isOrigin,
      "origins such as https://app.example.com or capacitor://localhost, comma separated, without a path",
    ),
  );
  return isLocal && origins?.length === 0 ? [LOCAL_ORIGIN] : origins;
}

const redisUrl = z
  .url({ protocol: /^rediss?$/, error: "must be a URL that starts with redis:// or rediss://." })
  .transform((url) => new Secret(url));

/** Error messages contain no part of an entry, because it may be a key that was set instead of its hash. */
const apiKeys = list(
  z
    .string()
    .regex(API_KEY, {
      abort: true,
      error: ({ path }) =>
        `must contain entries of the form name:sha256-hex:scope+scope, separated by commas or newlines, with the scopes ` +
        `${apiKeyScopes.join(", ")} (entry ${Number(path?.at(-1)) + 1} is invalid).`,
    })
    .transform((entry) => {
      const [, name = "", hash = "", given = ""] = API_KEY.exec(entry) ?? [];
      return { name, sha256: Buffer.from(hash, "hex"), scopes: given.split("+") as Scope[] };
    })
    .refine(({ scopes }) => !scopes.includes("sip:self"), {
      error: ({ path }) =>
        `must not contain the scope sip:self (entry ${Number(path?.at(-1)) + 1}): an API key belongs to no person. ` +
        "Remove the scope, or use AUTH=jwt with JWT_USERNAME_CLAIM.",
    }),
  /[,\n]/,
)
  .refine((keys) => keys.length > 0, "must be set: one or more entries, as `npm run api-key` generates them.")
  .refine(
    (keys) => new Set(keys.map(({ sha256 }) => sha256.toString("hex"))).size === keys.length,
    "must contain each key only once.",
  );

const CLAIM = /^[^\s,]+$/;
const CLAIM_FORM =
  "a name such as scp or https://example.com/roles, or a dotted path such as realm_access.roles";
const scopeClaims = listOf((name) => CLAIM.test(name), `claims, comma separated, each ${CLAIM_FORM}`)
  .refine(({ length }) => length > 0, `must contain a claim: ${CLAIM_FORM}.`)
  .default(["scope"]);
const usernameClaim = z.string().regex(CLAIM, {
  error: ({ input }) => `must be one claim: ${CLAIM_FORM} (got ${JSON.stringify(input)}).`,
});

function readAuth(environment: Environment) {
  const reason = "api-key, jwt or none. With none, everyone who can reach this address can do everything";
  const mode = environment.read("AUTH", required(reason).pipe(oneOf("none", "api-key", "jwt")));
  if (mode === "api-key") {
    const path = environment.fileOf("API_KEYS");
    const keys = new Reloadable("API_KEYS_FILE", path, environment, (again) =>
      again.read("API_KEYS", apiKeys),
    );
    return { mode, keys };
  }
  if (mode !== "jwt") return { mode };
  const jwksUrl = required("the URL where the issuer of the tokens publishes its keys").pipe(
    address({ allowQuery: true }),
  );
  return {
    mode,
    jwksUrl: environment.read("JWT_JWKS_URL", jwksUrl),
    issuer: environment.read("JWT_ISSUER", required("the claim `iss` that tokens must have")),
    audience: environment.read("JWT_AUDIENCE", required("the claim `aud` that tokens must have")),
    /** The claims that have the scopes: names, or dotted paths. */
    scopeClaims: environment.read("JWT_SCOPE_CLAIM", scopeClaims),
    /** The claim that has the SIP username of a person. Undefined: no client has an own endpoint. */
    usernameClaim: environment.read("JWT_USERNAME_CLAIM", usernameClaim.optional()),
  };
}

/** Reads the URL and the account for upstream requests. Only the transport uses the secret. */
function readUpstream(environment: Environment) {
  const allowHttp = environment.read("PIOPIY_ALLOW_HTTP", flag);
  const given = environment.text("PIOPIY_URL") ?? PIOPIY;
  if (given === "emulator") return "emulator" as const;
  const url = address({ allowHttp, alternative: ', or the word "emulator"' })
    .transform((url) => url.replace(/\/?$/, "/"))
    .default(PIOPIY);
  // The message does not show the value: it may be the secret, in the wrong variable.
  const appId = required("the app id of the PIOPIY account")
    .refine(
      (id) => /^[1-9]\d*$/.test(id) && Number.isSafeInteger(Number(id)),
      "must be a whole number, as in PIOPIY's console.",
    )
    .transform(Number);
  const secret = required("the secret of the PIOPIY account")
    .refine(
      (secret) => secret !== PUBLISHED_SECRET || isEmulator(given),
      "is the public secret of the emulator. It is allowed with an emulator only. Set the secret of your PIOPIY account.",
    )
    .transform((secret) => new Secret(secret));
  return {
    url: environment.read("PIOPIY_URL", url),
    appId: environment.read("PIOPIY_APP_ID", appId),
    secret: environment.read("PIOPIY_SECRET", secret),
  };
}

/** Returns whether a `PIOPIY_URL` is that of an emulator: PIOPIY itself is reached over https, and not on loopback. */
function isEmulator(upstream: string): boolean {
  return isLoopback(upstream) || !/^https:/i.test(upstream);
}

const PROXY_VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/** Returns the variables of proxies that are set in lower case. As in curl, they take precedence over those in upper case. */
function proxyVariables(variables: Variables): Variables {
  const set = PROXY_VARIABLES.filter((name) => variables[name.toLowerCase()]?.trim());
  return Object.fromEntries(set.map((name) => [name, variables[name.toLowerCase()]]));
}

const proxyUrl = z
  .string()
  .transform((text) => (text.includes("://") ? text : `http://${text}`))
  .refine(isProxyUrl, {
    error:
      "must be the http:// or https:// URL of a proxy, such as http://proxy.example.com:3128, without a path or a query.",
  })
  .transform((url) => new Secret(url));

function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, pathname, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && pathname === "/" && !search && !hash;
}

/** Reads the egress proxies. Entries of NO_PROXY that match no host, such as networks, are allowed: other programs use them. */
function readProxies(environment: Environment): EgressProxies {
  return {
    https: environment.read("HTTPS_PROXY", proxyUrl.optional()),
    http: environment.read("HTTP_PROXY", proxyUrl.optional()),
    noProxy: environment.read("NO_PROXY", list(z.string(), /[\s,]+/)),
  };
}

/**
 * Reads the trusted documents, as a map from the hash to the document, and the mode for other documents: `off` executes them, `log`
 * logs and executes them, `enforce` rejects them.
 */
function readTrustedDocuments(environment: Environment) {
  const mode = environment.read("TRUSTED_DOCUMENTS", oneOf("off", "log", "enforce").default("off"));
  if (mode !== "log" && mode !== "enforce") return { mode };
  const manifest = required("the path of the manifest of trusted documents").transform(readManifest);
  const setting = "TRUSTED_DOCUMENTS_FILE";
  const path = environment.text("TRUSTED_DOCUMENTS_FILE");
  const documents = new Reloadable(setting, path, environment, (again) => again.read(setting, manifest));
  return { mode, documents };
}

/** Reads a `persisted-documents.json` of GraphQL Code Generator's client preset. Error messages contain no part of the file. */
function readManifest(file: string, context: z.RefinementCtx): Map<string, string> {
  try {
    const json = JSON.parse(readFileSync(file, "utf8"));
    const documents = Object.entries(z.record(z.string(), z.string()).parse(json));
    for (const [, document] of documents) parse(document);
    return new Map(documents);
  } catch (error) {
    const reason = error instanceof GraphQLError ? "a document does not parse" : Object(error).code;
    context.addIssue(
      `must be the path of a JSON file with content such as {"hash": "query …"} (${JSON.stringify(file)} is invalid${reason ? `: ${reason}` : ""}).`,
    );
    return z.NEVER;
  }
}

/** Reads the base URL of answer URLs and the secrets that sign them. Returns undefined if neither is set. */
function readAnswerSettings(environment: Environment) {
  if (!environment.text("PUBLIC_URL") && !environment.text("ANSWER_URL_SECRET")) return undefined;
  const upstream = environment.text("PIOPIY_URL") ?? PIOPIY;
  // Answer URLs are requested over the same network between the gateway and PIOPIY.
  const allowHttp = environment.read("PIOPIY_ALLOW_HTTP", flag);
  const publicUrl = address({ allowHttp }).transform((url) => url.replace(/\/+$/, ""));
  const error = `must be one secret of ${SHORTEST_ANSWER_URL_SECRET} characters or more, or two secrets, comma separated, while you replace one.`;
  const secret = z
    .string()
    .min(SHORTEST_ANSWER_URL_SECRET, error)
    .refine(
      (secret) => secret !== PUBLISHED_ANSWER_URL_SECRET || isEmulator(upstream),
      "is the public secret of .env.emulator, so everyone can sign answer URLs with it. It is allowed with an emulator only. " +
        "Set your own secret, such as the output of `openssl rand -hex 32`.",
    )
    .transform((secret) => new Secret(secret));
  const secrets = list(secret)
    .refine(({ length }) => length === 1 || length === 2, error)
    .transform((secrets) => secrets as [Secret, ...Secret[]]);
  return {
    /** Has no slash at its end. May be undefined with the embedded emulator; then answer URLs have the address that the gateway listens on. */
    publicUrl: environment.read(
      "PUBLIC_URL",
      upstream === "emulator"
        ? publicUrl.optional()
        : required("the URL where PIOPIY reaches this gateway, for answer URLs").pipe(publicUrl),
    ),
    /** The first one signs. All are accepted, so that existing URLs stay valid while a secret is replaced. */
    secrets: environment.read("ANSWER_URL_SECRET", secrets),
  };
}

const collectorUrl = address({ allowHttp: true, alternative: " or http://" });
const samplers = ["always_on", "always_off", "traceidratio"] as const;
const ratio = z.string().refine((text) => /^\d*\.?\d+$/.test(text) && Number(text) <= 1, {
  error: ({ input }) => `must be a number from 0 to 1, such as 0.1 (got ${JSON.stringify(input)}).`,
});

/**
 * Reads the URL for spans. Returns undefined if tracing is off. The SDK of OpenTelemetry reads the sampler itself, and ignores
 * invalid values.
 */
function readTracesUrl(environment: Environment): string | undefined {
  const collector = environment.read("OTEL_EXPORTER_OTLP_ENDPOINT", collectorUrl.optional());
  const specific = environment.read("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", collectorUrl.optional());
  const url = specific ?? (collector && `${collector.replace(/\/$/, "")}/v1/traces`);
  // Without a URL, the other variables may be those of other programs.
  if (url === undefined) return undefined;
  environment.read("OTEL_EXPORTER_OTLP_PROTOCOL", oneOf("http/protobuf").optional());
  environment.read(
    "OTEL_TRACES_SAMPLER",
    oneOf(...samplers, ...samplers.map((sampler) => `parentbased_${sampler}` as const)).optional(),
  );
  environment.read("OTEL_TRACES_SAMPLER_ARG", ratio.optional());
  const isDisabled = environment.read("OTEL_SDK_DISABLED", flag);
  return isDisabled ? undefined : url;
}

function isNetwork(network: string): boolean {
  const [ip = "", bits = "0", ...rest] = network.split("/");
  const isLength = /^\d+$/.test(bits) && Number(bits) <= (isIPv6(ip) ? 128 : 32);
  return isIP(ip) !== 0 && isLength && rest.length === 0;
}

/** Returns whether a text is `scheme://host` or `scheme://host:port` as a browser sends it in the header `Origin`. */
export function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\*]+$/.test(text) || !URL.canParse(text)) return false;
  // `URL` has an origin for web schemes only. For schemes of extensions and apps its origin is "null".
  const { host, origin } = new URL(text);
  return origin === text || (origin === "null" && host !== "");
}

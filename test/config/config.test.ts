import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { inspect } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";
import { Secret } from "../../src/secret.js";

const account = { PIOPIY_APP_ID: "2222223", PIOPIY_SECRET: "made-up-secret" };
const complete = { AUTH: "none", ...account };

/** Returns the errors of a configuration. */
function mistakes(variables: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("readConfig", () => {
  it("requires the account and AUTH, and has defaults for all other settings", () => {
    expect(readConfig(complete)).toEqual({
      host: "127.0.0.1",
      port: 4000,
      metricsPort: undefined,
      metricsOperations: [],
      workers: 1,
      shutdownDelayMs: 0,
      trustedProxies: [],
      auth: { mode: "none" },
      allowedHosts: [],
      upstream: {
        url: "https://piopiy.telecmi.com/v1/endpoint/",
        appId: 2222223,
        secret: new Secret("made-up-secret"),
      },
      proxies: { https: undefined, http: undefined, noProxy: [] },
      timeoutMs: 5000,
      deadlineMs: 10_000,
      maxConcurrency: 32,
      breakerResetMs: 5000,
      cacheTtlMs: 10_000,
      scanMaxEndpoints: 20_000,
      pcmoTargetsKey: "call",
      limits: {
        bodyBytes: 100_000,
        tokens: 2000,
        depth: 10,
        aliases: 64,
        rootFields: 64,
        directives: 20,
        cost: 5000,
      },
      rateLimitPerMinute: 60_000,
      redisUrl: undefined,
      corsOrigins: [],
      hsts: false,
      trustedDocuments: { mode: "off" },
      answer: undefined,
      graphiql: false,
      introspection: false,
      logLevel: "info",
      logFormat: "json",
    });
  });

  it("reads every setting", () => {
    const settings = {
      HOST: "::1",
      PORT: "0",
      METRICS_PORT: "9464",
      METRICS_OPERATIONS: "Team, _all2",
      PIOPIY_URL: "https://proxy.example.com/piopiy",
      HTTPS_PROXY: "http://user:made-up@proxy.example.com:3128",
      HTTP_PROXY: "proxy.example.com:3128",
      NO_PROXY: "gateway,.example.org:8443",
      PIOPIY_TIMEOUT_MS: "1",
      PIOPIY_DEADLINE_MS: "600000",
      PIOPIY_MAX_CONCURRENCY: "10000",
      BREAKER_RESET_MS: "600000",
      CACHE_TTL_MS: "0",
      SCAN_MAX_ENDPOINTS: "100000",
      PCMO_TARGETS_KEY: "connect",
      WORKERS: "4",
      SHUTDOWN_DELAY_MS: "600000",
      TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      ALLOWED_HOSTS: "gateway, fd00::1, app.example.com.",
      MAX_BODY_BYTES: "1",
      MAX_TOKENS: "2",
      MAX_DEPTH: "3",
      MAX_ALIASES: "4",
      MAX_ROOT_FIELDS: "5",
      MAX_DIRECTIVES: "6",
      MAX_COST: "7",
      RATE_LIMIT_PER_MINUTE: "0",
      REDIS_URL: "redis://127.0.0.1:6379",
      CORS_ORIGINS: "https://app.example.com,http://localhost:3000",
      HSTS: "true",
      GRAPHIQL: "true",
      INTROSPECTION: "true",
      LOG_LEVEL: "silent",
      LOG_FORMAT: "pretty",
    };
    expect(readConfig({ ...complete, ...settings })).toEqual({
      host: "::1",
      port: 0,
      metricsPort: 9464,
      metricsOperations: ["Team", "_all2"],
      workers: 4,
      shutdownDelayMs: 600_000,
      trustedProxies: ["10.0.0.0/8", "::1"],
      auth: { mode: "none" },
      allowedHosts: ["gateway", "fd00::1", "app.example.com."],
      upstream: {
        url: "https://proxy.example.com/piopiy/",
        appId: 2222223,
        secret: new Secret("made-up-secret"),
      },
      proxies: {
        https: new Secret("http://user:made-up@proxy.example.com:3128"),
        http: new Secret("http://proxy.example.com:3128"),
        noProxy: ["gateway", ".example.org:8443"],
      },
      timeoutMs: 1,
      deadlineMs: 600_000,
      maxConcurrency: 10_000,
      breakerResetMs: 600_000,
      cacheTtlMs: 0,
      scanMaxEndpoints: 100_000,
      pcmoTargetsKey: "connect",
      limits: { bodyBytes: 1, tokens: 2, depth: 3, aliases: 4, rootFields: 5, directives: 6, cost: 7 },
      rateLimitPerMinute: 0,
      redisUrl: new Secret("redis://127.0.0.1:6379"),
      corsOrigins: ["https://app.example.com", "http://localhost:3000"],
      hsts: true,
      trustedDocuments: { mode: "off" },
      answer: undefined,
      graphiql: true,
      introspection: true,
      logLevel: "silent",
      logFormat: "pretty",
    });
  });

  it("wraps secrets, so that they are not printed", () => {
    const REDIS_URL = "redis://:made-up-password@127.0.0.1";
    const ANSWER_URL_SECRET = `${"made-up-".repeat(4)}1,${"made-up-".repeat(4)}2`;
    const config = readConfig({
      ...complete,
      REDIS_URL,
      ANSWER_URL_SECRET,
      PUBLIC_URL: "https://gateway.example.com",
    });
    const { upstream, redisUrl, answer } = config;
    expect(upstream === "emulator" || upstream.secret.reveal()).toBe("made-up-secret");
    expect(redisUrl?.reveal()).toBe(REDIS_URL);
    expect(answer?.secrets.map((secret) => secret.reveal()).join()).toBe(ANSWER_URL_SECRET);
    for (const print of [JSON.stringify(config), inspect(config, { depth: 9, showHidden: true })]) {
      expect(print).not.toContain("made-up");
    }
  });

  it("reads WORKERS=auto as the number of cores", () => {
    expect(readConfig({ ...complete, WORKERS: "auto" }).workers).toBe(availableParallelism());
  });

  it("requires no account for the emulator", () => {
    expect(readConfig({ AUTH: "none", PIOPIY_URL: "emulator" }).upstream).toBe("emulator");
  });

  it("lists all errors", () => {
    expect(() =>
      readConfig({
        PORT: "65536",
        WORKERS: "all",
        PIOPIY_URL: "ftp://piopiy.example.com",
        PIOPIY_APP_ID: "abc",
        PIOPIY_TIMEOUT_MS: "0",
        PIOPIY_DEADLINE_MS: "10s",
        PIOPIY_MAX_CONCURRENCY: "-1",
        BREAKER_RESET_MS: "0",
        CACHE_TTL_MS: "3600001",
        SCAN_MAX_ENDPOINTS: "0",
        PIOPIY_ALLOW_HTTP: "yes",
        PCMO_TARGETS_KEY: "dial",
        LOG_LEVEL: "loud",
      }),
    ).toThrow(
      [
        "The configuration has errors:",
        '  - PORT must be a whole number from 0 to 65535 (got "65536").',
        '  - WORKERS must be a whole number from 1 to 256, or the word "auto" (got "all").',
        "  - AUTH must be set: api-key, jwt or none. With none, everyone who can reach this address can do everything.",
        '  - PIOPIY_ALLOW_HTTP must be one of true, false (got "yes").',
        '  - PIOPIY_URL must be a URL that starts with https://, or the word "emulator".',
        "  - PIOPIY_APP_ID must be a whole number, as in PIOPIY's console.",
        "  - PIOPIY_SECRET must be set: the secret of the PIOPIY account.",
        '  - PIOPIY_TIMEOUT_MS must be a whole number from 1 to 120000 (got "0").',
        '  - PIOPIY_DEADLINE_MS must be a whole number from 1 to 600000 (got "10s").',
        '  - PIOPIY_MAX_CONCURRENCY must be a whole number from 1 to 10000 (got "-1").',
        '  - BREAKER_RESET_MS must be a whole number from 1 to 600000 (got "0").',
        '  - CACHE_TTL_MS must be a whole number from 0 to 3600000 (got "3600001").',
        '  - SCAN_MAX_ENDPOINTS must be a whole number from 1 to 100000 (got "0").',
        '  - PCMO_TARGETS_KEY must be one of call, connect (got "dial").',
        '  - LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent (got "loud").',
      ].join("\n"),
    );
  });

  it.each(["AUTH", "PIOPIY_APP_ID", "PIOPIY_SECRET"])("requires %s, and rejects an empty value", (name) => {
    expect(mistakes({ ...complete, [name]: undefined })).toEqual([
      expect.stringMatching(`^${name} must be set: `),
    ]);
    expect(mistakes({ ...complete, [name]: "" })).toEqual(mistakes({ ...complete, [name]: undefined }));
  });

  it("treats an empty variable as not set", () => {
    const names = ["HOST", "PORT", "PIOPIY_URL", "PIOPIY_ALLOW_HTTP", "PCMO_TARGETS_KEY", "LOG_LEVEL"];
    const empty = Object.fromEntries(names.map((name) => [name, ""]));
    expect(readConfig({ ...complete, ...empty })).toEqual(readConfig(complete));
  });

  it.each(["nobody", "None", "true"])("rejects AUTH=%s", (AUTH) => {
    expect(mistakes({ ...complete, AUTH })).toEqual([expect.stringMatching(/^AUTH must be one of .*none/)]);
  });

  it.each(["4000.5", "1e3", "40 00", "0x10", "-1", "٤"])("rejects PORT=%s", (PORT) => {
    expect(mistakes({ ...complete, PORT })).toEqual([expect.stringMatching(/^PORT must be a whole number/)]);
  });
});

describe("METRICS_PORT", () => {
  it.each([
    ["4001", undefined],
    ["4000", "4001"],
    ["0", "0"],
  ])("may be %s with PORT=%s", (METRICS_PORT, PORT) => {
    expect(readConfig({ ...complete, METRICS_PORT, PORT }).metricsPort).toBe(Number(METRICS_PORT));
  });

  it.each([
    ["4000", undefined],
    ["4001", "4001"],
  ])("must not be %s with PORT=%s", (METRICS_PORT, PORT) => {
    expect(mistakes({ ...complete, METRICS_PORT, PORT })).toEqual([
      `METRICS_PORT must differ from PORT, the port of the GraphQL API (got ${METRICS_PORT}).`,
    ]);
  });

  it.each(["65536", "9464/tcp"])("rejects %s", (METRICS_PORT) => {
    expect(mistakes({ ...complete, METRICS_PORT })).toEqual([
      `METRICS_PORT must be a whole number from 0 to 65535 (got "${METRICS_PORT}").`,
    ]);
  });
});

describe("METRICS_OPERATIONS", () => {
  it.each(["Team list", "9Team", "query Team"])("rejects the name '%s'", (name) => {
    expect(mistakes({ ...complete, METRICS_OPERATIONS: `Team, ${name}` })).toEqual([
      `METRICS_OPERATIONS must contain names of GraphQL operations, comma separated (got "${name}").`,
    ]);
  });
});

describe("PIOPIY_URL", () => {
  it.each([
    ["https://piopiy.example.com/v1/endpoint", "https://piopiy.example.com/v1/endpoint/"],
    ["https://piopiy.example.com/v1/endpoint/", "https://piopiy.example.com/v1/endpoint/"],
    ["HTTPS://PIOPIY.example.com", "https://piopiy.example.com/"],
    ["http://localhost:5080/v1/endpoint/", "http://localhost:5080/v1/endpoint/"],
    ["http://127.0.0.1:5080", "http://127.0.0.1:5080/"],
    ["http://127.1.2.3/", "http://127.1.2.3/"],
    ["http://[::1]:5080/", "http://[::1]:5080/"],
  ])("may be %s", (PIOPIY_URL, url) => {
    expect(readConfig({ ...complete, PIOPIY_URL }).upstream).toMatchObject({ url });
  });

  it.each([
    ["piopiy.example.com", /^PIOPIY_URL must be a URL/],
    ["file:///etc/passwd", /^PIOPIY_URL must be a URL/],
    ["Emulator", /^PIOPIY_URL must be a URL/],
    ["https://user:pass@piopiy.example.com/", /not contain a user, a password or a fragment/],
    ["https://piopiy.example.com/?a=1", /not contain a query/],
    ["https://piopiy.example.com/#a", /not contain a user, a password or a fragment/],
    ["http://piopiy.example.com/", /must start with https/],
    ["http://10.0.0.1/", /must start with https/],
    ["http://localhost.example.com/", /must start with https/],
    ["http://127.0.0.1.example.com/", /must start with https/],
    ["http://0.0.0.0/", /must start with https/],
  ])("may not be %s", (PIOPIY_URL, message) => {
    expect(mistakes({ ...complete, PIOPIY_URL })).toEqual([expect.stringMatching(message)]);
  });

  it("may be plain http for any address with PIOPIY_ALLOW_HTTP=true", () => {
    const variables = { ...complete, PIOPIY_URL: "http://emulator:5080/v1/endpoint/" };
    expect(mistakes({ ...variables, PIOPIY_ALLOW_HTTP: "false" })).toHaveLength(1);
    expect(mistakes({ ...variables, PIOPIY_ALLOW_HTTP: "true" })).toEqual([]);
  });
});

describe("A secret", () => {
  it.each([
    "2222223x",
    "0",
    "-1",
    "1.5",
    "9007199254740993",
    "canary-1",
  ])("is not shown when it is in PIOPIY_APP_ID: %s", (PIOPIY_APP_ID) => {
    const found = mistakes({ ...complete, PIOPIY_APP_ID });
    expect(found).toEqual([expect.stringMatching(/^PIOPIY_APP_ID must be a whole number/)]);
    expect(found[0]).not.toContain(PIOPIY_APP_ID);
  });

  it.each([
    "PIOPIY_URL",
    "PIOPIY_APP_ID",
  ])("is not shown in error messages, also when it is in %s", (name) => {
    const canary = "canary-2";
    const variables = { AUTH: "none", PORT: "x", PIOPIY_SECRET: canary, [name]: `https://a:${canary}@b/` };
    expect(mistakes(variables).length).toBeGreaterThan(1);
    expect(mistakes(variables).join()).not.toContain(canary);
  });
});

describe("A published secret", () => {
  const [, published = ""] = /^ANSWER_URL_SECRET=(.*)$/m.exec(readFileSync(".env.emulator", "utf8")) ?? [];
  const answers = { PUBLIC_URL: "https://gateway.example.com", ANSWER_URL_SECRET: published };
  const own = "made-up-and-longer-than-32-characters";

  it.each([
    ["alone", published],
    ["as the second of two", `${own}, ${published}`],
  ])("is rejected for answer URLs of a real account, %s", (_, ANSWER_URL_SECRET) => {
    expect(mistakes({ ...complete, ...answers, ANSWER_URL_SECRET })).toEqual([
      expect.stringMatching(/^ANSWER_URL_SECRET is the public secret of .env.emulator.*openssl/),
    ]);
  });

  it("is rejected as the secret of an account over https", () => {
    expect(mistakes({ ...complete, PIOPIY_SECRET: "emulator-secret" })).toEqual([
      expect.stringMatching(/^PIOPIY_SECRET is the public secret of the emulator/),
    ]);
  });

  it.each([
    ["the embedded emulator", { PIOPIY_URL: "emulator", ...answers }],
    [
      "an emulator on loopback",
      { PIOPIY_URL: "http://127.0.0.1:5080", PIOPIY_SECRET: "emulator-secret", ...answers },
    ],
    [
      "an emulator on loopback over https",
      { PIOPIY_URL: "https://localhost:5080", PIOPIY_SECRET: "emulator-secret" },
    ],
    [
      "an emulator in a closed network",
      {
        PIOPIY_URL: "http://emulator:5080",
        PIOPIY_ALLOW_HTTP: "true",
        PIOPIY_SECRET: "emulator-secret",
        ...answers,
      },
    ],
  ])("is allowed for %s", (_, variables) => {
    expect(mistakes({ ...complete, ...variables })).toEqual([]);
  });

  it("does not affect other secrets", () => {
    expect(mistakes({ ...complete, ...answers, ANSWER_URL_SECRET: own })).toEqual([]);
  });
});

describe("ALLOWED_HOSTS", () => {
  it.each([
    "gateway:4000",
    "http://gateway",
    "*",
    "*.example.com",
    "a b",
    "user@gateway",
    "a/b",
    "[::1]",
    "x..y",
  ])("may not contain %s", (ALLOWED_HOSTS) => {
    expect(mistakes({ ...complete, ALLOWED_HOSTS: `gateway, ${ALLOWED_HOSTS}` })).toEqual([
      expect.stringMatching(
        /^ALLOWED_HOSTS must contain host names or addresses.*without a scheme or a port/,
      ),
    ]);
  });
});

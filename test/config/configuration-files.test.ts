import { describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";
import { EmulatorSettingsError, readEmulatorSettings } from "../../src/emulator/settings.js";
import { sha256 } from "../support/auth/api-keys.js";

const hash = sha256("made-up-key");
const secret = "made-up-".repeat(4);
const good: Record<string, string> = {
  HOST: "127.0.0.2",
  PORT: "4001",
  PIOPIY_URL: "https://piopiy.example.com/v1/",
  PIOPIY_APP_ID: "2222223",
  PIOPIY_SECRET: "made-up-secret",
  AUTH: "api-key",
  API_KEYS: `alpha:${hash}:sip:read`,
  REDIS_URL: "redis://:made-up@redis:6379",
  PUBLIC_URL: "https://gateway.example.com",
  ANSWER_URL_SECRET: secret,
  TRUSTED_PROXIES: "10.0.0.0/8",
  ALLOWED_HOSTS: "gateway",
  CORS_ORIGINS: "https://app.example.com",
  LOG_LEVEL: "warn",
};
const { API_KEYS: _, ...others } = good;
const tokens: Record<string, string> = {
  ...others,
  AUTH: "jwt",
  JWT_JWKS_URL: "https://issuer.example.com/keys",
  JWT_ISSUER: "https://issuer.example.com/",
  JWT_AUDIENCE: "piopiy-graph",
  JWT_SCOPE_CLAIM: "scp",
  JWT_USERNAME_CLAIM: "sip_username",
};
const emulator: Record<string, string> = {
  EMULATOR_HOST: "127.0.0.2",
  EMULATOR_PORT: "5081",
  EMULATOR_APP_ID: "2222224",
  EMULATOR_SECRET: "made-up-secret",
  EMULATOR_ERRORS: "status",
  EMULATOR_SBC: "sbc.example.com",
  EMULATOR_DATA: "/tmp/made-up",
  EMULATOR_ALLOWED_HOSTS: "emulator",
  EMULATOR_SIP_PORT: "5070",
  EMULATOR_ALLOWED_ORIGINS: "https://phones.example",
};

/** Returns the errors of a configuration. */
function mistakes(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError || error instanceof EmulatorSettingsError) return error.mistakes;
    throw error;
  }
  return [];
}

/** Returns a configuration with its secrets as text, for comparisons. */
function shown(variables: Record<string, string>): unknown {
  const { upstream, redisUrl, answer, ...rest } = readConfig(variables);
  const account =
    upstream === "emulator" ? upstream : [upstream.url, upstream.appId, upstream.secret.reveal()];
  return [rest, account, redisUrl?.reveal(), answer?.publicUrl, answer?.secrets.map((one) => one.reveal())];
}

const reals = [
  ["with API keys", good],
  ["with tokens", tokens],
] as const;
const padded = (variables: Record<string, string>, pad: (value: string) => string) =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, pad(value)]));

describe("White space around every value", () => {
  it.each<[string, (value: string) => string]>([
    ["a line feed", (value) => `${value}\n`],
    ["a carriage return", (value) => `${value}\r`],
    ["both", (value) => `${value}\r\n`],
    ["blanks and tabs", (value) => ` \t${value}\t `],
    ["a byte order mark", (value) => `\ufeff${value}`],
  ])("is removed: %s", (_, pad) => {
    for (const [, variables] of reals) expect(shown(padded(variables, pad))).toEqual(shown(variables));
    expect(readEmulatorSettings(padded(emulator, pad))).toEqual(readEmulatorSettings(emulator));
  });

  it("is removed around the word emulator, and around each part of a list", () => {
    expect(readConfig({ AUTH: "none\r", PIOPIY_URL: "emulator\r\n" }).upstream).toBe("emulator");
    const list = {
      ...good,
      API_KEYS: `alpha:${hash}:sip:read\r\n,\r\nbeta:${sha256("other")}:sip:write\r\n`,
    };
    expect(readConfig(list).auth).toMatchObject({ keys: { current: [{ name: "alpha" }, { name: "beta" }] } });
  });

  it("alone counts as not set", () => {
    expect(mistakes(() => readConfig({ ...good, PIOPIY_SECRET: " \r\n" }))).toEqual([
      expect.stringMatching(/^PIOPIY_SECRET must be set/),
    ]);
    expect(readEmulatorSettings({ EMULATOR_PORT: "\r" }).port).toBe(5080);
  });

  it("inside a secret is kept", () => {
    expect(JSON.stringify(shown({ ...good, PIOPIY_SECRET: "made up\n" }))).toContain('"made up"');
  });
});

describe("Quotes around a value", () => {
  const names = [
    ...reals.flatMap(([, variables]) => Object.keys(variables).map((name) => [name, variables] as const)),
  ];
  it.each(names)("are the only error of %s, whose message does not show the value", (name, variables) => {
    for (const [open, close] of ['""', "''", "``", "“”", "‘’"].map((pair) => [...pair])) {
      const value = `${open}${variables[name]}${close}`;
      expect(mistakes(() => readConfig({ ...variables, [name]: `${value}\r\n` }))).toEqual([
        `${name} must not have quotes around its value. Remove the quotes.`,
      ]);
    }
  });

  it.each(Object.keys(emulator))("are the only error of %s", (name) => {
    expect(mistakes(() => readEmulatorSettings({ ...emulator, [name]: `"${emulator[name]}"` }))).toEqual([
      `${name} must not have quotes around its value. Remove the quotes.`,
    ]);
  });

  it.each([
    ["ANSWER_URL_SECRET", `${secret}1, "${secret}2"`],
    ["API_KEYS", `'alpha:${hash}:sip:read',beta:${sha256("other")}:sip:write`],
    ["CORS_ORIGINS", 'https://app.example.com,"https://other.example.com"'],
    ["REDIS_URL", '""'],
  ])("are an error in %s: %s", (name, value) => {
    expect(mistakes(() => readConfig({ ...good, [name]: value }))).toEqual([
      `${name} must not have quotes around its value. Remove the quotes.`,
    ]);
  });

  it.each(['"', 'a"b"', '"a', "a'", "'a\""])("are kept in a secret unless they enclose it: %s", (value) => {
    expect(mistakes(() => readConfig({ ...good, PIOPIY_SECRET: value }))).toEqual([]);
  });
});

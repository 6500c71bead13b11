import { describe, expect, it } from "@jest/globals";
import { EmulatorSettingsError, readEmulatorSettings } from "../../src/emulator/settings.js";

const defaults = {
  host: "127.0.0.1",
  port: 5080,
  appId: 2222223,
  secret: "emulator-secret",
  errors: "body",
  codes: "cmi",
  booleans: "boolean",
  sbc: undefined,
  sipPort: undefined,
  dataFile: undefined,
  answerTimeoutMs: 5000,
  allowedHosts: [],
  allowedOrigins: [],
};

function mistakesOf(env: Record<string, string>): string[] {
  try {
    readEmulatorSettings(env);
    return [];
  } catch (error) {
    if (error instanceof EmulatorSettingsError) return error.mistakes;
    throw error;
  }
}

describe("the emulator's settings", () => {
  it("have different ports for HTTP and SIP, unless the system chooses them", () => {
    const mistakes = [expect.stringContaining("EMULATOR_SIP_PORT must not be the port of EMULATOR_PORT")];
    expect(mistakesOf({ EMULATOR_SIP_PORT: "5080" })).toEqual(mistakes);
    expect(mistakesOf({ EMULATOR_PORT: "5070", EMULATOR_SIP_PORT: "5070" })).toEqual(mistakes);
    expect(mistakesOf({ EMULATOR_PORT: "0", EMULATOR_SIP_PORT: "0" })).toEqual([]);
  });

  it("have defaults", () => {
    expect(readEmulatorSettings({})).toEqual(defaults);
  });

  it("are the defaults for empty variables", () => {
    expect(
      readEmulatorSettings({
        EMULATOR_PORT: "",
        EMULATOR_SECRET: "",
        EMULATOR_ERRORS: "",
        EMULATOR_DATA: "",
      }),
    ).toEqual(defaults);
  });

  it.each([
    ["EMULATOR_HOST", "0.0.0.0", { host: "0.0.0.0" }],
    ["EMULATOR_PORT", "0", { port: 0 }],
    ["EMULATOR_APP_ID", "7654321", { appId: 7654321 }],
    ["EMULATOR_SECRET", "another one", { secret: "another one" }],
    ["EMULATOR_ERRORS", "status", { errors: "status" }],
    ["EMULATOR_CODES", "number", { codes: "number" }],
    ["EMULATOR_BOOLEANS", "string", { booleans: "string" }],
    ["EMULATOR_SBC", "sbc-2.example", { sbc: "sbc-2.example" }],
    ["EMULATOR_SIP_PORT", "0", { sipPort: 0 }],
    ["EMULATOR_DATA", "/tmp/endpoints.json", { dataFile: "/tmp/endpoints.json" }],
    ["EMULATOR_ANSWER_TIMEOUT_MS", "60000", { answerTimeoutMs: 60_000 }],
    ["EMULATOR_ALLOWED_HOSTS", "emulator, fd00::1", { allowedHosts: ["emulator", "fd00::1"] }],
    [
      "EMULATOR_ALLOWED_ORIGINS",
      "https://phones.example, http://emulator:5080",
      { allowedOrigins: ["https://phones.example", "http://emulator:5080"] },
    ],
  ])("accept %s=%s", (name, value, setting) => {
    expect(readEmulatorSettings({ [name]: value })).toEqual({ ...defaults, ...setting });
  });

  it.each([
    ["EMULATOR_PORT", "65536", 'must be a whole number from 0 to 65535 (got "65536").'],
    ["EMULATOR_PORT", "-1", 'must be a whole number from 0 to 65535 (got "-1").'],
    ["EMULATOR_PORT", "1.5", 'must be a whole number from 0 to 65535 (got "1.5").'],
    ["EMULATOR_APP_ID", "0", "must be a whole number of at least 1."],
    ["EMULATOR_APP_ID", "99999999999999999999", "must be a whole number of at least 1."],
    ["EMULATOR_ERRORS", "both", 'must be body or status (got "both").'],
    ["EMULATOR_CODES", "420", 'must be cmi or number (got "420").'],
    ["EMULATOR_BOOLEANS", "true", 'must be boolean or string (got "true").'],
    ["EMULATOR_SBC", "wss://a", 'must be a host name without scheme and port (got "wss://a").'],
    ["EMULATOR_SBC", "a.example:5060", expect.stringContaining("without scheme and port")],
    ["EMULATOR_ANSWER_TIMEOUT_MS", "0", 'must be a whole number from 1 to 60000 (got "0").'],
    ["EMULATOR_ALLOWED_HOSTS", "http://a", expect.stringContaining("without scheme and port")],
    ["EMULATOR_SIP_PORT", "65536", 'must be a whole number from 0 to 65535 (got "65536").'],
    ["EMULATOR_ALLOWED_ORIGINS", "phones.example", expect.stringContaining("such as https://phones.example")],
    ["EMULATOR_ALLOWED_ORIGINS", "https://phones.example/", expect.stringContaining("list of origins")],
    ["EMULATOR_ALLOWED_HOSTS", "a,*", expect.stringContaining("host names or addresses")],
    ["EMULATOR_ANSWER_TIMEOUT_MS", "60001", 'must be a whole number from 1 to 60000 (got "60001").'],
  ])("reject %s=%s", (name, value, mistake) => {
    const mistakes = mistakesOf({ [name]: value });
    expect(mistakes.map((text) => text.replace(`${name} `, ""))).toEqual([mistake]);
  });

  it("report all problems together, without the value of an invalid app id", () => {
    const mistakes = mistakesOf({
      EMULATOR_PORT: "x",
      EMULATOR_APP_ID: "the-secret",
      EMULATOR_CODES: "y",
      EMULATOR_SECRET: "top-secret",
    });
    expect(mistakes.map((mistake) => mistake.split(" ")[0])).toEqual([
      "EMULATOR_PORT",
      "EMULATOR_APP_ID",
      "EMULATOR_CODES",
    ]);
    expect(mistakes.join()).not.toMatch(/the-secret|top-secret/);
  });
});

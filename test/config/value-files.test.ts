import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { ConfigError, fileVariables, readConfig } from "../../src/config.js";
import { sha256 } from "../support/auth/api-keys.js";

type FileVariable = (typeof fileVariables)[number];

const values: Record<FileVariable, string> = {
  PIOPIY_SECRET: "made-up-secret",
  API_KEYS: `alpha:${sha256("made-up-key")}:sip:read`,
  REDIS_URL: "redis://:made-up@redis:6379",
  ANSWER_URL_SECRET: "made-up-".repeat(4),
};
/** Values that are invalid for every variable except PIOPIY_SECRET, which may be any text. */
const hidden = "hidden-value";
const complete: Record<string, string> = {
  AUTH: "api-key",
  PIOPIY_APP_ID: "2222223",
  PUBLIC_URL: "https://gateway.example.com",
  ...values,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "values-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns the environment with this content of a file in place of a variable. */
function inFile(name: FileVariable, content: string): Record<string, string> {
  const path = join(folder, name);
  writeFileSync(path, content);
  const { [name]: _, ...others } = complete;
  return { ...others, [`${name}_FILE`]: path };
}

/** Returns the values of the configuration as text. */
function shown(variables: Record<string, string>): unknown {
  const { upstream, auth, redisUrl, answer } = readConfig(variables);
  if (upstream === "emulator" || auth.mode !== "api-key")
    throw new Error("The account and keys must be set.");
  return [
    upstream.secret.reveal(),
    auth.keys.current,
    redisUrl?.reveal(),
    answer?.secrets.map((secret) => secret.reveal()),
  ];
}

function mistakes(variables: Record<string, string>): readonly string[] {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

describe.each(fileVariables.map((name) => [name]))("A file for %s", (name) => {
  it.each([
    ["no newline", ""],
    ["a newline", "\n"],
    ["a carriage return and a newline", "\r\n"],
  ])("replaces the variable, and may end with %s", (_, end) => {
    expect(shown(inFile(name, values[name] + end))).toEqual(shown(complete));
  });

  it("must not be set together with the variable", () => {
    expect(mistakes({ ...inFile(name, values[name]), [name]: values[name] })).toEqual([
      `${name} and ${name}_FILE must not both be set. Remove one of them.`,
    ]);
  });

  it("counts as not set if its variable is empty, and so does an empty variable beside a file", () => {
    expect(shown({ ...complete, [`${name}_FILE`]: "" })).toEqual(shown(complete));
    expect(shown({ ...inFile(name, values[name]), [name]: " " })).toEqual(shown(complete));
  });

  it.each([
    ["that does not exist", "nowhere", "ENOENT"],
    ["that is a directory", "", "EISDIR"],
  ])("%s is an error with its path and the cause", (_, file, cause) => {
    const path = join(folder, file);
    expect(mistakes({ ...inFile(name, ""), [`${name}_FILE`]: path })).toEqual([
      `${name}_FILE must be the path of a readable file (${JSON.stringify(path)}: ${cause}).`,
    ]);
  });

  it.each(["", "\n", " \r\n"])("without a value is an error: %j", (content) => {
    expect(mistakes(inFile(name, content))).toEqual([
      `${name}_FILE must be the path of a file that has a value (${JSON.stringify(join(folder, name))} is empty).`,
    ]);
  });

  it("must not have quotes around the value", () => {
    const path = JSON.stringify(join(folder, name));
    expect(mistakes(inFile(name, `"${values[name]}"\n`))).toEqual([
      `${name} in the file ${path} must not have quotes around its value. Remove the quotes.`,
    ]);
  });
});

it.each(
  fileVariables.filter((name) => name !== "PIOPIY_SECRET"),
)("An invalid value in a file for %s is reported without the value", (name) => {
  const found = mistakes(inFile(name, hidden));
  const start = `${name} in the file ${JSON.stringify(join(folder, name))} must `;
  expect(found.map((mistake) => mistake.slice(0, start.length))).toEqual([start]);
  expect(found.join()).not.toContain(hidden);
});

it("A file is not read for other variables", () => {
  const { AUTH: _, ...others } = complete;
  expect(mistakes({ ...others, AUTH_FILE: join(folder, "AUTH") })).toEqual([
    expect.stringMatching(/^AUTH must be set: /),
  ]);
});

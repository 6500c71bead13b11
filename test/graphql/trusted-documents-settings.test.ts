import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Config, ConfigError, readConfig } from "../../src/config.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trusted-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(settings: Record<string, string>): Config {
  return readConfig({ AUTH: "none", PIOPIY_URL: "emulator", ...settings });
}

function mistakesOf(settings: Record<string, string>): readonly string[] {
  try {
    read(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}

/** Writes a manifest with this content, and returns its path. */
function manifest(content: string): string {
  const file = join(folder, "documents.json");
  writeFileSync(file, content);
  return file;
}

describe("TRUSTED_DOCUMENTS", () => {
  it("is off by default, and then needs no file", () => {
    for (const settings of [{}, { TRUSTED_DOCUMENTS: "off", TRUSTED_DOCUMENTS_FILE: "nowhere.json" }]) {
      expect(read(settings).trustedDocuments).toEqual({ mode: "off" });
    }
  });

  it.each(["log", "enforce"])("reads the manifest for %s", (mode) => {
    const file = manifest('{"5f": "{ __typename }", "a0": "query A { __typename }"}');
    const { trustedDocuments } = read({ TRUSTED_DOCUMENTS: mode, TRUSTED_DOCUMENTS_FILE: file });
    const documents = new Map([
      ["5f", "{ __typename }"],
      ["a0", "query A { __typename }"],
    ]);
    expect(trustedDocuments).toMatchObject({ mode, documents: { current: documents, path: file } });
  });

  it.each(["log", "enforce"])("needs a file for %s", (mode) => {
    expect(mistakesOf({ TRUSTED_DOCUMENTS: mode })).toEqual([
      "TRUSTED_DOCUMENTS_FILE must be set: the path of the manifest of trusted documents.",
    ]);
  });

  it("must be a known value", () => {
    expect(mistakesOf({ TRUSTED_DOCUMENTS: "on" })).toEqual([
      'TRUSTED_DOCUMENTS must be one of off, log, enforce (got "on").',
    ]);
  });
});

describe("TRUSTED_DOCUMENTS_FILE", () => {
  it.each([
    ["invalid JSON", "{", / is invalid\)\.$/],
    ["an empty file", "", / is invalid\)\.$/],
    ["a list", '["{ __typename }"]', / is invalid\)\.$/],
    ["a string", '"{ __typename }"', / is invalid\)\.$/],
    ["null", "null", / is invalid\)\.$/],
    ["documents that are not strings", '{"5f": {"kind": "Document"}}', / is invalid\)\.$/],
    [
      "a document that does not parse",
      '{"5f": "{ __typename }", "a0": "{ a("}',
      / is invalid: a document does not parse\)\.$/,
    ],
    ["an empty document", '{"5f": ""}', / is invalid: a document does not parse\)\.$/],
  ])("is rejected with %s in place of a manifest", (_, content, reason) => {
    const file = manifest(content);
    const mistakes = mistakesOf({ TRUSTED_DOCUMENTS: "enforce", TRUSTED_DOCUMENTS_FILE: file });
    expect(mistakes).toEqual([expect.stringMatching(reason)]);
    expect(mistakes[0]).toContain(
      `TRUSTED_DOCUMENTS_FILE must be the path of a JSON file with content such as {"hash": "query …"} (${JSON.stringify(file)} is invalid`,
    );
  });

  it("must exist, and all invalid variables are reported together", () => {
    const settings = {
      TRUSTED_DOCUMENTS: "log",
      TRUSTED_DOCUMENTS_FILE: join(folder, "nowhere.json"),
      REDIS_URL: "http://redis.example.com",
      CORS_ORIGINS: "*",
    };
    expect(mistakesOf(settings)).toEqual([
      expect.stringContaining("REDIS_URL"),
      expect.stringContaining("CORS_ORIGINS"),
      expect.stringMatching(/TRUSTED_DOCUMENTS_FILE .*nowhere\.json.* is invalid: .*ENOENT/),
    ]);
  });
});

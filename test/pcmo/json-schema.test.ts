import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { pcmoJsonSchema } from "../../src/pcmo/document.js";
import { validatePcmo } from "../../src/pcmo/validate.js";
import { type Json, mutatedDocument, validDocument } from "./documents.js";

const text = readFileSync("schema/pcmo.schema.json", "utf8");
const accepts = new Ajv2020().compile(JSON.parse(text));

describe("schema/pcmo.schema.json", () => {
  it("is up to date (run npm run schema)", () => {
    expect(text).toBe(`${JSON.stringify(pcmoJsonSchema(), null, 2)}\n`);
  });

  it("uses draft 2020-12, and describes the document, each action and each key", () => {
    const { $schema, title, description, items } = JSON.parse(text);
    expect($schema).toBe("https://json-schema.org/draft/2020-12/schema");
    const parts = items.oneOf.flatMap(({ description, properties }: typeof items) => {
      const { action, ...others } = properties;
      return [description, ...Object.values<{ description: string }>(others).map((one) => one.description)];
    });
    expect(parts.length).toBeGreaterThan(30);
    expect([title, description, ...parts].filter((part) => !/^[A-Z]/.test(part))).toEqual([]);
    expect(parts.filter((part: string) => !part.endsWith("."))).toEqual([]);
  });

  // It can express every rule: a duplicate user makes two targets equal, and two exclusive keys are a oneOf.
  it("accepts a document exactly when the gateway finds no error in it", () => {
    const counts = { valid: 0, invalid: 0 };
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 1, arbitrary: validDocument as fc.Arbitrary<Json> },
          { weight: 4, arbitrary: mutatedDocument },
        ),
        (document) => {
          const { valid } = validatePcmo(document, "call");
          expect({ document, accepted: accepts(document) }).toEqual({ document, accepted: valid });
          counts[valid ? "valid" : "invalid"]++;
        },
      ),
      { seed: 10, numRuns: 5000 },
    );
    expect(counts.valid).toBeGreaterThan(500);
    expect(counts.invalid).toBeGreaterThan(1500);
  });

  it("rejects keys that JavaScript objects inherit, as the gateway does", () => {
    for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const document = JSON.parse(`[{ "action": "hangup", ${JSON.stringify(key)}: { "text": "x" } }]`);
      expect(accepts(document)).toBe(false);
      expect(validatePcmo(document, "call").valid).toBe(false);
    }
  });
});

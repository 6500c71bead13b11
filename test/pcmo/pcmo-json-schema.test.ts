import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { pcmoJsonSchema } from "../../src/pcmo/document.js";
import { validatePcmo } from "../../src/pcmo/validate.js";
import { changedDocument, type Json, soundDocument } from "./pcmo-documents.js";

const text = readFileSync("schema/pcmo.schema.json", "utf8");
const accepts = new Ajv2020().compile(JSON.parse(text));

describe("schema/pcmo.schema.json", () => {
  it("is what the code writes (else run: npm run schema)", () => {
    expect(text).toBe(`${JSON.stringify(pcmoJsonSchema(), null, 2)}\n`);
  });

  it("is of draft 2020-12, and describes itself, each action and each of their keys", () => {
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

  // There is no rule that it cannot say: a user twice makes two targets equal, and two keys that exclude each other are a oneOf.
  it("takes a document exactly when the gateway finds no error in it", () => {
    const seen = { sound: 0, broken: 0 };
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 1, arbitrary: soundDocument as fc.Arbitrary<Json> },
          { weight: 4, arbitrary: changedDocument },
        ),
        (document) => {
          const { valid } = validatePcmo(document, "call");
          expect({ document, accepted: accepts(document) }).toEqual({ document, accepted: valid });
          seen[valid ? "sound" : "broken"]++;
        },
      ),
      { seed: 10, numRuns: 5000 },
    );
    expect(seen.sound).toBeGreaterThan(500);
    expect(seen.broken).toBeGreaterThan(1500);
  });

  it("refuses keys that objects inherit or are made from, as the gateway does", () => {
    for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const document = JSON.parse(`[{ "action": "hangup", ${JSON.stringify(key)}: { "text": "x" } }]`);
      expect(accepts(document)).toBe(false);
      expect(validatePcmo(document, "call").valid).toBe(false);
    }
  });
});

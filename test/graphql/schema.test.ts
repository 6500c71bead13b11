import { readdirSync, readFileSync } from "node:fs";
import "reflect-metadata";
import { describe, expect, it } from "@jest/globals";
import {
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isSpecifiedScalarType,
  Kind,
  parse,
  validate,
} from "graphql";
import { buildGatewaySchema } from "../../src/graphql/schema.js";
import {
  printClientSdl,
  printSubgraphSdl,
  printSubgraphSdlWithoutSecurity,
} from "../../src/graphql/subgraph.js";

const graph = buildGatewaySchema();

describe("The schema", () => {
  it.each([
    ["schema.graphql", printClientSdl],
    ["subgraph.graphql", printSubgraphSdl],
    ["subgraph.without-security.graphql", printSubgraphSdlWithoutSecurity],
  ])("equals schema/%s (if not, run: npm run schema)", (file, print) => {
    expect(print(graph)).toBe(readFileSync(`schema/${file}`, "utf8"));
  });

  it("describes itself and every type, field, argument and enum value in sentences", () => {
    const elements = describedElements(graph);
    expect(elements.length).toBeGreaterThan(80);
    const lacking = elements.filter(({ description }) => !/^[A-Z].*[.]$/s.test(description ?? ""));
    expect(lacking.map(({ name }) => name)).toEqual([]);
  });

  it("describes costs as upstream requests, without the names of PIOPIY's operations", () => {
    const named = describedElements(graph).filter(({ description }) => /[a-z]_sip\b/.test(description ?? ""));
    expect(named.map(({ name }) => name)).toEqual([]);
  });

  it("has enum values that equal their names", () => {
    const values = Object.values(graph.getTypeMap())
      .filter((type) => isEnumType(type))
      .flatMap((type) => type.getValues());
    expect(values.filter(({ name, value }) => name !== value)).toEqual([]);
    expect(values.map(({ name }) => name)).toContain("AUDIO");
  });
});

describe("schema/operations", () => {
  it.each(
    readdirSync("schema/operations"),
  )("%s has one named operation that is valid against the schema", (file) => {
    const document = parse(readFileSync(`schema/operations/${file}`, "utf8"));
    expect(validate(graph, document)).toEqual([]);
    const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    expect(operations).toEqual([expect.objectContaining({ name: expect.anything() })]);
  });

  it("equals schema/persisted-documents.json (if not, run: npm run schema)", () => {
    const generated = readFileSync("test/generated/persisted-documents.json", "utf8");
    expect(readFileSync("schema/persisted-documents.json", "utf8")).toBe(generated);
  });
});

/** Returns the schema and all its elements, without those of introspection and of the federation directives. */
function describedElements(
  schema: GraphQLSchema,
): { name: string; description?: string | null | undefined }[] {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !/^(_|federation|link)_/.test(name));
  const elements = types.flatMap((type) => {
    const named = partsOf(type).map(({ name, description }) => ({
      name: `${type.name}.${name}`,
      description,
    }));
    return isSpecifiedScalarType(type) ? named : [type, ...named];
  });
  return [{ name: "schema", description: schema.description }, ...elements];
}

function partsOf(type: GraphQLNamedType): { name: string; description?: string | null | undefined }[] {
  if (isEnumType(type)) return [...type.getValues()];
  if (isInputObjectType(type)) return Object.values(type.getFields());
  if (!isObjectType(type)) return [];
  return Object.values(type.getFields()).flatMap((field) => [field, ...field.args]);
}

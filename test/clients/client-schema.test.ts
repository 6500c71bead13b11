import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  type IntrospectionQuery,
  lexicographicSortSchema,
  parse,
  printSchema,
  validateSchema,
} from "graphql";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const sdl = readFileSync("schema/schema.graphql", "utf8");

describe("schema/schema.graphql", () => {
  it("is a complete and valid schema", () => {
    expect(validateSchema(buildSchema(sdl))).toEqual([]);
  });

  it("has no extensions, and only one directive of its own: @semanticNonNull", () => {
    const kinds = new Set(parse(sdl).definitions.map(({ kind }) => kind));
    expect([...kinds].filter((kind) => kind.endsWith("Extension"))).toEqual([]);
    const own = buildSchema(sdl)
      .getDirectives()
      .map(({ name }) => name);
    expect(own.sort()).toEqual(["deprecated", "include", "oneOf", "semanticNonNull", "skip", "specifiedBy"]);
    expect(sdl).not.toMatch(/_service|_entities|_Any|@(key|link|shareable|authenticated|requiresScopes)\b/);
  });
});

describe("Introspection", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  it("returns schema/schema.graphql, and the fields and types for routers", async () => {
    const query = getIntrospectionQuery({
      schemaDescription: true,
      specifiedByUrl: true,
      inputValueDeprecation: true,
    });
    const { data, errors } = await gateway.execute<IntrospectionQuery>(query);
    expect(errors).toBeUndefined();
    const schema: IntrospectionQuery = JSON.parse(JSON.stringify(data), (_key, value) =>
      Array.isArray(value) ? value.filter((element) => !/^_[a-z]/i.test(element?.name)) : value,
    );
    expect(schema).not.toEqual(data);
    const print = (schema: ReturnType<typeof buildSchema>) => printSchema(lexicographicSortSchema(schema));
    expect(print(buildClientSchema(schema))).toBe(print(buildSchema(sdl)));
  });
});

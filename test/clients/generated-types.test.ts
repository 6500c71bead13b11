import { generate } from "@graphql-codegen/cli";
import { describe, expect, it } from "@jest/globals";

/** Returns the types that the client preset of GraphQL Code Generator generates for an operation. */
async function typesOf(document: string, config: object): Promise<string> {
  const files: { filename: string; content: string }[] = await generate(
    {
      schema: "schema/schema.graphql",
      documents: document,
      silent: true,
      emitLegacyCommonJSImports: false,
      generates: { "generated/": { preset: "client", presetConfig: { fragmentMasking: false }, config } },
    },
    false,
  );
  const file = files.find(({ filename }) => filename === "generated/graphql.ts");
  return /export type NamesQuery = .*/.exec(file?.content ?? "")?.[0] ?? "";
}

describe("The types that GraphQL Code Generator's client preset generates", () => {
  const document = 'query Names { sipEndpoint(username: "alice") { username connectUrl password } }';

  it("have null for a field that is null only if an error occurred", async () => {
    const types = await typesOf(document, {});
    expect(types).toContain("username: string,");
    expect(types).toContain("connectUrl?: string | null");
  });

  it("do not have this null with `nullability: { errorHandlingClient: true }`", async () => {
    const types = await typesOf(document, { nullability: { errorHandlingClient: true } });
    expect(types).toContain("connectUrl: string,");
    expect(types).toContain("password?: string | null");
    expect(types).toContain("sipEndpoint?: {");
  });
});

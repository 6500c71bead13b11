import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { getIntrospectionQuery } from "graphql";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { limitsOf, post, send, times, withGateway } from "./production.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());
afterEach(() => gateway.reset());

const reads = (count: number) =>
  `{ ${times(count, (index) => `name${index}: sipEndpoint(username: "alice") { type }`)} }`;
const modern = { accept: "application/graphql-response+json" };

describe("The default limits", () => {
  it("allow 50 reads with an alias each", async () => {
    const { data, errors } = await gateway.execute<Record<string, unknown>>(reads(50));
    expect(errors).toBeUndefined();
    expect(Object.values(data)).toEqual(Array(50).fill({ type: "SIP" }));
  });

  it("reject 101 of them, without an upstream request", async () => {
    const { data, errors } = await gateway.execute(reads(101));
    expect(data).toBeUndefined();
    expect(limitsOf(errors)).toEqual(["MAX_ALIASES", "MAX_ROOT_FIELDS"]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each(["\n", "\r", "\r\n"])("reject a document of 2,001 lines that end with %j", async (end) => {
    const { errors } = await gateway.execute(`${end.repeat(2000)}{ __typename }`);
    expect(errors).toMatchObject([{ extensions: { code: "GRAPHQL_PARSE_FAILED" } }]);
    expect(errors?.[0]?.message).toContain("2001 lines; the maximum is 2000");
    expect((await gateway.execute(`${end.repeat(1999)}{ __typename }`)).errors).toBeUndefined();
  });

  it("allow a page of 100 rows with all fields", async () => {
    await gateway.reset({ count: 100 });
    const { errors } = await gateway.execute(`{ sipEndpoints(first: 100) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { username password connectUrl sipUri audio video type } edges { cursor node { username } }
    } }`);
    expect(errors).toBeUndefined();
  });
});

describe("Introspection", () => {
  it("is allowed by small limits when an operation selects nothing else", async () => {
    const all = {
      descriptions: true,
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      oneOf: true,
    };
    await withGateway({ INTROSPECTION: "true", MAX_DEPTH: "3", MAX_COST: "1000" }, async (small) => {
      const { data, errors } = await small.execute<{ __schema: object }>(getIntrospectionQuery(all));
      expect(errors).toBeUndefined();
      expect(data.__schema).toMatchObject({
        queryType: { name: "Query" },
        mutationType: { name: "Mutation" },
      });
    });
  });

  it("is rejected when it is circular", async () => {
    const circle = "fields { type { ".repeat(4);
    const { data, errors } = await gateway.execute(
      `{ __schema { types { ${circle} name ${"} }".repeat(4)} } } }`,
    );
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions.code).toBe("GRAPHQL_VALIDATION_FAILED");
    expect(errors?.[0]?.message).toContain("introspection depth");
  });
});

describe("A document that exceeds a limit", () => {
  it("gets an error for every exceeded limit, and none for its other problems", async () => {
    const fields = times(65, (index) => `name${index}: nothing${index} @nobody`);
    const { errors } = await gateway.execute(`{ ${fields} sipEndpoint { typ } ...Unknown }`);
    expect(limitsOf(errors)).toEqual(["MAX_ALIASES", "MAX_DIRECTIVES", "MAX_ROOT_FIELDS"]);
    for (const { message } of errors ?? []) expect(message).toMatch(/^The operation has \d+ .* Select less/);
  });

  it("is rejected also for an operation that is not selected", async () => {
    await withGateway({ MAX_DEPTH: "1" }, async (flat) => {
      const query = `query A { __typename } query B ${reads(1)}`;
      const { errors } = await send(`${flat.origin}/graphql`, post({ query, operationName: "A" }));
      expect(limitsOf(errors)).toEqual(["MAX_DEPTH"]);
    });
  });

  it.each([
    ["aliases", reads(65), "MAX_ALIASES", 422],
    ["tokens", `{ ${"__typename ".repeat(2000)} }`, "MAX_TOKENS", 400],
    ["cost", "{ sipEndpoints(first: 100) { edges { node { type } } } }", "MAX_COST", 422],
  ])("gets the status of an invalid document, with either media type: %s", async (_, query, limit, expected) => {
    await withGateway({ MAX_COST: "100" }, async (strict) => {
      const responses = [await strict.execute(query, {}, modern), await strict.execute(query)];
      expect(responses.map(({ status, errors }) => [status, limitsOf(errors)?.[0]])).toEqual([
        [expected, limit],
        [expected, limit],
      ]);
      expect(responses.map(({ headers }) => headers.get("content-type"))).toEqual([
        expect.stringContaining("application/graphql-response+json"),
        expect.stringContaining("application/json"),
      ]);
    });
  });
});

describe("Circular fragments", () => {
  it.each([
    ["one", "fragment A on Query { __typename ...A }"],
    ["two", "fragment A on Query { ...B } fragment B on Query { ...A }"],
    [
      "two, nested",
      "fragment A on Query { sipEndpoints { ...B } } fragment B on SipEndpointConnection { nodes { type } ...B }",
    ],
    [
      "a hundred",
      times(100, (index) => `fragment ${index ? `F${index}` : "A"} on Query { ...F${index + 1} }`) +
        " fragment F100 on Query { ...A }",
    ],
  ])("are rejected by the validation of GraphQL: %s", async (_, fragments) => {
    const { data, errors } = await gateway.execute(`{ ...A } ${fragments}`);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.message).toMatch(/^The fragment `\w+` must not spread itself/);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect((await gateway.execute("{ __typename }")).data).toEqual({ __typename: "Query" });
  });
});

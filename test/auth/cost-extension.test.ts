import { afterEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { type GraphqlResponse, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const one = "{ __typename }";
const read = '{ sipEndpoint(username: "alice") { username type } }';
const rows = (count: number) => `{ sipEndpoints(first: ${count}) { nodes { username } } }`;
const list = "query ($after: String) { sipEndpoints(after: $after) { pageInfo { endCursor } } }";

let gateway: TestGateway;
afterEach(() => gateway.close());

async function start(perMinute: number, settings: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: String(perMinute), ...settings } });
}

/** Returns the cost of a response. Its `remaining` must be that of the headers. */
function cost({ extensions, headers }: GraphqlResponse<unknown>): [requested: unknown, remaining: unknown] {
  const { requested, remaining } = extensions?.cost ?? {};
  expect(String(remaining)).toBe(headers.get("ratelimit-remaining"));
  return [requested, remaining];
}

describe("extensions.cost", () => {
  it.each<[string, string, Record<string, unknown>, number]>([
    ["a query", read, {}, 8],
    ["a mutation", 'mutation { removeSipEndpoint(input: { username: "bob" }) { username } }', {}, 7],
    ["an introspection query", "{ __schema { queryType { name } } }", {}, 1],
    ["the rows of a default", list, {}, 13],
    ["a user error", "{ connectAction(input: { call: [] }) { userErrors { code } } }", {}, 3],
    ["an error of a field", "{ sipEndpoints(first: 1000) { totalCount } }", {}, 82],
    ["an invalid variable", list, { after: [1] }, 1],
    ["an invalid document", "{ nothing }", {}, 1],
    ["a syntax error", "{", {}, 1],
    ["a missing operation", `query A ${one} query B ${one}`, {}, 1],
  ])("has the units that are charged for %s", async (_, query, variables, units) => {
    await start(1000);
    expect(cost(await gateway.execute(query, variables))).toEqual([units, 1000 - units]);
  });

  it("is in a response with data and errors", async () => {
    await start(1000, apiKeys({ reader: "sip:read" }));
    const query = '{ sipEndpoint(username: "alice") { username password } }';
    const response = await gateway.execute(query, {}, bearer("reader"));
    expect(response.errors).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
    expect(cost(response)).toEqual([8, 992]);
  });

  it("is in a response with an upstream error", async () => {
    await start(1000);
    await gateway.addFault({ kind: "reset", operation: "get_sip", times: 10 });
    const response = await gateway.execute(read);
    expect(response.errors).toMatchObject([{ extensions: { code: "UPSTREAM_UNAVAILABLE" } }]);
    expect(cost(response)).toEqual([8, 992]);
  });

  it("is in the error of a response that is too large", async () => {
    await start(1_000_000, { MAX_COST: "1000000" });
    const query = `query ($pcmo: PCMO!) { ${Array.from({ length: 40 }, (_, n) => `f${n}: validatePcmo(pcmo: $pcmo) { normalized }`).join(" ")} }`;
    const response = await gateway.execute(query, { pcmo: [{ action: "speak", text: "x".repeat(80_000) }] });
    expect(response.errors).toMatchObject([{ extensions: { limit: "MAX_RESPONSE_BYTES" } }]);
    const [requested, remaining] = cost(response);
    expect(requested).toBeGreaterThan(1000);
    expect(remaining).toBe(1_000_000 - Number(requested));
  });

  const usernames = Array.from({ length: 200 }, (_, n) => `user${n}`);
  const replace = (names: readonly string[]) =>
    gateway.reset({ endpoints: names.map((username) => ({ username })) });

  /** Reads a page of 200 rows, at the cost of 13 units, and returns its cursor. */
  async function cursor(): Promise<string> {
    await replace(usernames);
    const { data } = await gateway.execute<{ sipEndpoints: { pageInfo: { endCursor: string } } }>(
      "{ sipEndpoints(offset: 150) { pageInfo { endCursor } } }",
    );
    return data.sipEndpoints.pageInfo.endCursor;
  }

  it("counts the upstream requests of a search for the rows of a cursor", async () => {
    await start(1000);
    const after = await cursor();
    const unmoved = await gateway.execute(list, { after });
    await replace(usernames.slice(100));
    const moved = await gateway.execute(list, { after });
    expect([unmoved.errors, moved.errors]).toEqual([undefined, undefined]);
    const [planned, left] = cost(unmoved);
    const [requested, remaining] = cost(moved);
    const { length } = await gateway.upstreamRequests();
    expect(requested).toBeGreaterThanOrEqual(Math.max(5 * length, Number(planned) + 5));
    expect(remaining).toBe(Number(left) - Number(requested));
  });

  it("does not count a search for the rows of a cursor that the rate limit rejects", async () => {
    await start(45);
    const after = await cursor();
    await replace(usernames.slice(100));
    const response = await gateway.execute(list, { after });
    expect([response.status, response.headers.get("retry-after")]).toEqual([200, null]);
    expect(response.errors).toMatchObject([
      {
        message: expect.stringMatching(
          /^The cost of this request is 33, of which 28 units are already charged, but the client .* has only 4 of its 45 units left .* Try again in \d+ seconds\.$/,
        ),
        path: ["sipEndpoints"],
        extensions: { code: "RATE_LIMITED", retryable: true, retryAfterMs: expect.any(Number) },
      },
    ]);
    expect(cost(response)).toEqual([28, 4]);
  });

  it("has no `remaining` when the rate limit is off", async () => {
    await start(0);
    expect((await gateway.execute(read)).extensions).toEqual({ cost: { requested: 8 } });
    expect((await gateway.execute("{")).extensions).toEqual({ cost: { requested: 1 } });
  });

  it("adds up to the used units, with and without cached responses", async () => {
    await start(100_000, { CACHE_TTL_MS: "60000" });
    await gateway.reset({ count: 25 });
    const operations = [
      one,
      read,
      rows(3),
      rows(25),
      list,
      "{",
      "{ nothing }",
      "{ __schema { types { name } } }",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...operations), { minLength: 1, maxLength: 20 }),
        async (queries) => {
          const [, before] = cost(await gateway.execute(one));
          const responses = await Promise.all(queries.map((query) => gateway.execute(query)));
          const sum = responses.reduce(
            (units, { extensions }) => units + Number(extensions?.cost?.requested),
            0,
          );
          const [, after] = cost(await gateway.execute(one));
          expect(after).toBe(Number(before) - sum - 1);
        },
      ),
      { seed: 17, numRuns: 10 },
    );
    expect(gateway.log.some((line) => JSON.parse(line).cachedResponse)).toBe(true);
  });
});

describe("The cost of a cached response", () => {
  it("has the units that are left now, and the rest of the response is unchanged", async () => {
    await start(1000, { CACHE_TTL_MS: "60000" });
    const send = async () => {
      const body = JSON.stringify({ query: read });
      const init = { method: "POST", headers: { "content-type": "application/json" }, body };
      const response = await fetch(`${gateway.origin}/graphql`, init);
      return [await response.text(), response.headers.get("content-length")] as const;
    };
    const sent = [await send(), await send(), await send(), await send()];
    const texts = sent.map(([text]) => text);
    expect(gateway.log.filter((line) => JSON.parse(line).cachedResponse)).toHaveLength(2);
    for (const [text, length] of sent) expect(length).toBe(String(Buffer.byteLength(text)));
    expect(texts.map((text) => JSON.parse(text).extensions)).toEqual(
      [992, 984, 976, 968].map((remaining) => ({ cost: { requested: 8, remaining } })),
    );
    expect(new Set(texts.map((text) => text.replace(/"remaining":\d+/, "")))).toHaveProperty("size", 1);
  });
});

describe("The cost of an operation that is rejected", () => {
  it("for MAX_COST is the cost that is not charged", async () => {
    await start(1000, { MAX_COST: "100" });
    const response = await gateway.execute(rows(100));
    expect(response.errors).toMatchObject([{ extensions: { limit: "MAX_COST", actual: 182 } }]);
    expect(cost(response)).toEqual([182, 999]);
  });

  it("for the rate limit is the cost that is not charged", async () => {
    await start(40);
    await gateway.execute(rows(10));
    const response = await gateway.execute(rows(10));
    expect(response).toMatchObject({ status: 429, errors: [{ extensions: { code: "RATE_LIMITED" } }] });
    expect(cost(response)).toEqual([22, 17]);
  });
});

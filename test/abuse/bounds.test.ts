import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { createClient } from "@redis/client";
import { getIntrospectionQuery } from "graphql";
import { encodeCursor, fingerprint } from "../../src/piopiy/pagination/cursor.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { hasRedis, startRedis } from "../support/redis.js";
import { limitsOf, post, times, withGateway } from "./production.js";

/** A length in characters that MAX_BODY_BYTES allows, together with the rest of the request. */
const LONG = 90_000;

describe("A gateway with a heap of 128 MB", () => {
  let gateway: BuiltGateway;
  beforeAll(async () => {
    gateway = await startBuiltGateway({
      AUTH: "none",
      PORT: "0",
      PIOPIY_URL: "emulator",
      RATE_LIMIT_PER_MINUTE: "0",
      LOG_LEVEL: "silent",
      NODE_OPTIONS: "--max-old-space-size=128",
    });
  });
  afterAll(() => {
    gateway.child.kill("SIGKILL");
  });

  const long = (text: string) => text.repeat(LONG / text.length);
  const name = () => `${randomUUID()}${long("x")}`;
  const query = (text: string, variables?: object) => ({ query: text, variables });
  const input = "mutation ($i: RemoveSipEndpointInput!) { removeSipEndpoint(input: $i) { username } }";
  const update = "mutation ($i: UpdateSipEndpointInput!) { updateSipEndpoint(input: $i) { password } }";
  const read = "query ($n: ID!) { sipEndpoint(username: $n) { type } }";
  const entity = "query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }";

  it.each<[string, number, () => object]>([
    [
      "documents with many comments",
      80,
      () => query(`{ __typename } # ${randomUUID()}\n${"#\n".repeat(32_000)}`),
    ],
    // One character outside Latin-1 makes the whole string use two bytes per character.
    ["documents with one long comment", 1400, () => query(`{ __typename } # ĝ ${randomUUID()}${long("x")}`)],
    ["long usernames to remove", 800, () => query(input, { i: { username: name() } })],
    ["long usernames to update", 200, () => query(update, { i: { username: name() } })],
    ["long usernames to read", 200, () => query(read, { n: name() })],
    [
      "long usernames in references",
      200,
      () => query(entity, { of: [{ __typename: "SipEndpoint", username: name() }] }),
    ],
  ])("does not run out of memory after %s: %i", async (_, count, make) => {
    let left = count;
    const client = async () => {
      while (left-- > 0) await (await fetch(`${gateway.origin}/graphql`, post(make()))).arrayBuffer();
    };
    await Promise.all(Array.from({ length: 8 }, client));
    const response = await fetch(`${gateway.origin}/graphql`, post(query("{ __typename }")));
    expect(await response.json()).toMatchObject({ data: { __typename: "Query" } });
    expect(gateway.child.exitCode).toBeNull();
  });
});

describe("A username", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  afterEach(() => gateway.reset());

  const bad: [string, string][] = [
    ["of 257 bytes", "x".repeat(257)],
    ["of 129 characters with 258 bytes", "é".repeat(129)],
    ["of 90,000 bytes", "x".repeat(LONG)],
    ["with a control character", "a\u0007b"],
    ["that is empty", ""],
  ];

  it.each(bad)("%s is rejected in queries, and nothing is sent upstream", async (_, username) => {
    const reads = [
      await gateway.execute("query ($u: ID!) { sipEndpoint(username: $u) { username } }", { u: username }),
      await gateway.execute("query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }", {
        r: [{ __typename: "SipEndpoint", username }],
      }),
    ];
    const errors = reads.map((response) => response.errors?.[0]?.extensions);
    expect(errors).toMatchObject([
      { code: "BAD_USER_INPUT", argumentName: "username" },
      { code: "BAD_USER_INPUT", argumentName: "representations" },
    ]);
    expect(JSON.stringify(reads)).not.toContain("xxx");
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each(bad)("%s is rejected in inputs and targets, and nothing is sent upstream", async (_, username) => {
    const { data } = await gateway.execute<Record<string, unknown>>(
      `mutation ($u: ID!) {
        createSipEndpoint(input: { username: $u }) { userErrors { code } }
        updateSipEndpoint(input: { username: $u, password: "made-up-9" }) { userErrors { code } }
        removeSipEndpoint(input: { username: $u }) { userErrors { code } }
      }`,
      { u: username },
    );
    const connect = await gateway.execute<Record<string, unknown>>(
      "query ($u: ID!) { connectAction(verify: true, input: { call: [{ user: $u }] }) { userErrors { code } } }",
      { u: username },
    );
    const payloads = [...Object.values(data), ...Object.values(connect.data)];
    expect(payloads).toEqual(Array(4).fill({ userErrors: [{ code: "INVALID_USERNAME" }] }));
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect(gateway.log.filter((line) => line.length > 2000)).toEqual([]);
  });

  it("of 256 bytes is read, updated and removed", async () => {
    const username = "é".repeat(128);
    await gateway.reset({ endpoints: [{ username }] });
    const found = await gateway.execute("query ($u: ID!) { sipEndpoint(username: $u) { username } }", {
      u: username,
    });
    expect(found.data).toEqual({ sipEndpoint: { username } });
    const { data } = await gateway.execute(
      `mutation ($u: ID!) {
        updateSipEndpoint(input: { username: $u, password: "made-up-1" }) { userErrors { code } }
        removeSipEndpoint(input: { username: $u }) { username }
      }`,
      { u: username },
    );
    expect(data).toEqual({ updateSipEndpoint: { userErrors: [] }, removeSipEndpoint: { username } });
  });

  it("is distinguished from one that differs in a lone surrogate, also by the cache", async () => {
    const usernames = ["\ud800", "\ud801", "\ufffd"];
    await withGateway({ CACHE_TTL_MS: "60000" }, async (caching) => {
      await caching.reset({ endpoints: usernames.map((username) => ({ username })) });
      for (const username of usernames) {
        const { data } = await caching.execute("query ($u: ID!) { sipEndpoint(username: $u) { username } }", {
          u: username,
        });
        expect(data).toEqual({ sipEndpoint: { username } });
      }
    });
  });
});

(hasRedis ? describe : describe.skip)("The invalidation of an endpoint in Redis", () => {
  it("has the same few bytes for every username", async () => {
    const redis = await startRedis();
    const client = createClient({ url: redis.url });
    await client.connect();
    try {
      await withGateway({ REDIS_URL: redis.url, CACHE_TTL_MS: "60000" }, async (gateway) => {
        for (const username of ["a", "名".repeat(85), "x".repeat(256)]) {
          await gateway.execute(
            "mutation ($u: ID!) { removeSipEndpoint(input: { username: $u }) { username } }",
            {
              u: username,
            },
          );
        }
        const [key = ""] = await client.keys("*versions*");
        const fields = Object.keys(await client.hGetAll(key)).filter((field) => field.startsWith("endpoint"));
        expect(fields.map((field) => field.length)).toEqual([31, 31, 31]);
        expect(new Set(fields).size).toBe(3);
      });
    } finally {
      client.destroy();
      await redis.kill();
    }
  });
});

describe("An operation that causes much work", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  afterEach(() => gateway.reset());

  const problems = "{ valid problems { code } }";
  const document = Array.from({ length: 1740 }, () => ({
    action: "connect",
    call: [{ type: "sip", user: "a" }],
  }));
  const kilobytes = Array.from({ length: 100 }, () => ({ action: "hangup" }));
  const many = "validatePcmo(pcmo: $p)";
  const verify = "connectAction(verify: true, input: $i) { pcmo }";

  it.each<[string, string, object]>([
    [
      "64 validations of one variable",
      `query ($p: PCMO!) { ${times(64, (n) => `a${n}: ${many} ${problems}`)} }`,
      { p: kilobytes.concat(kilobytes) },
    ],
    [
      "64 validations in a fragment",
      `query ($p: PCMO!) { ...A } fragment A on Query { ${times(64, (n) => `a${n}: ${many} ${problems}`)} }`,
      { p: kilobytes.concat(kilobytes) },
    ],
    [
      "validations of a variable's default",
      `query ($p: PCMO! = [${'{ action: "hangup" } '.repeat(200)}]) { ${times(40, (n) => `a${n}: ${many} ${problems}`)} }`,
      {},
    ],
    [
      "a literal that contains a variable many times",
      `query ($p: PCMO!) { validatePcmo(pcmo: [${"$p ".repeat(100)}]) ${problems} }`,
      { p: kilobytes },
    ],
    [
      "a literal with a deeply nested variable",
      `query ($p: PCMO!) { ${times(64, (n) => `a${n}: validatePcmo(pcmo: [{ action: "speak", text: [{ a: $p }] }]) ${problems}`)} }`,
      { p: kilobytes },
    ],
    [
      "30 times 7,000 targets that are not verified",
      `query ($i: ConnectActionInput!) { ${times(30, (n) => `a${n}: connectAction(input: $i) { __typename }`)} }`,
      { i: { call: Array.from({ length: 7000 }, () => ({ user: "" })) } },
    ],
    [
      "verification of 1,000 targets",
      `query ($i: ConnectActionInput!) { ${times(10, (n) => `a${n}: ${verify}`)} }`,
      { i: { call: Array.from({ length: 100 }, (_, n) => ({ user: `u${n}` })) } },
    ],
    [
      "1,000 references",
      "query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }",
      { of: Array.from({ length: 1000 }, (_, n) => ({ __typename: "SipEndpoint", username: `u${n}` })) },
    ],
    [
      "64 introspections",
      `{ ${times(64, (n) => `a${n}: __schema { types { name description fields { name description type { name } } } }`)} }`,
      {},
    ],
    ["a long alias for each type", `{ __schema { types { ${"a".repeat(50_000)}: name } } }`, {}],
    ["the text of the schema 64 times", `{ ${times(64, (n) => `a${n}: _service { sdl }`)} }`, {}],
  ])("is rejected, and nothing is sent upstream: %s", async (_, query, variables) => {
    const { data, errors } = await gateway.execute(query, { ...variables });
    expect(data).toBeUndefined();
    expect(limitsOf(errors)).toEqual(["MAX_COST"]);
    expect(errors?.[0]?.extensions).toMatchObject({
      code: "GRAPHQL_VALIDATION_FAILED",
      maximum: 5000,
      actual: expect.any(Number),
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it.each<[string, string, object]>([
    ["one PCMO document of 96 kB", `query ($p: PCMO!) { ${many} ${problems} }`, { p: document }],
    [
      "the standard introspection query with all options",
      getIntrospectionQuery({
        descriptions: true,
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        inputValueDeprecation: true,
        oneOf: true,
      }),
      {},
    ],
    ["the text of the schema", "{ _service { sdl } }", {}],
    [
      "100 references with details",
      "query ($of: [_Any!]!) { _entities(representations: $of) { ... on SipEndpoint { type } } }",
      { of: Array(100).fill({ __typename: "SipEndpoint", username: "alice" }) },
    ],
    [
      "a page of 100 with all details",
      "{ sipEndpoints(first: 100) { nodes { username password connectUrl sipUri audio video type } } }",
      {},
    ],
  ])("is allowed by the default limits when it is a common one: %s", async (_, query, variables) => {
    const { data, errors } = await gateway.execute(query, { ...variables });
    expect(errors).toBeUndefined();
    expect(data).toBeTruthy();
  });

  it("is rejected in less than twice the time of a single validation", async () => {
    const numbers = Array.from({ length: 45_000 }, () => 1);
    const fields = (count: number) =>
      `query ($p: PCMO!) { ${times(count, (n) => `a${n}: ${many} { valid }`)} }`;
    const duration = async (count: number) => {
      const begun = performance.now();
      await gateway.execute(fields(count), { p: numbers });
      return performance.now() - begun;
    };
    const once: number[] = [];
    const often: number[] = [];
    // The rounds are interleaved and the shortest times compared, because other work on the machine makes some of them longer.
    for (let round = 0; round < 20; round++) {
      once.push(await duration(1));
      often.push(await duration(64));
      if (round >= 3 && Math.min(...often) < 2 * Math.min(...once)) break;
    }
    expect(Math.min(...often)).toBeLessThan(2 * Math.min(...once));
  });

  it("costs a few hundred units when it is the standard introspection query", async () => {
    const { headers } = await gateway.execute(getIntrospectionQuery());
    const before = Number((await gateway.execute("{ __typename }")).headers.get("ratelimit-remaining"));
    const cost = Number(headers.get("ratelimit-remaining")) - before;
    expect(cost).toBe(1);
    const after = Number((await gateway.execute(getIntrospectionQuery())).headers.get("ratelimit-remaining"));
    expect(before - after).toBeGreaterThan(100);
    expect(before - after).toBeLessThan(1000);
  });
});

describe("A forged cursor", () => {
  let gateway: TestGateway;
  const COUNT = 5000;
  beforeAll(async () => {
    // A busy machine needs longer than the default deadlines for the hundreds of requests of 60 searches.
    const patient = { PIOPIY_TIMEOUT_MS: "60000", PIOPIY_DEADLINE_MS: "200000" };
    gateway = await startGateway({ gateway: { RATE_LIMIT_PER_MINUTE: "1000000", ...patient } });
    await gateway.reset({ count: COUNT });
  });
  afterAll(() => gateway.close());

  const query =
    "query ($after: String, $first: Int) { sipEndpoints(first: $first, after: $after) { nodes { username } } }";
  const name = (place: number) => `user${String(place + 1).padStart(4, "0")}`;
  const unknown = Array.from({ length: 9 }, (_, index) => fingerprint(`nobody${index}`));

  async function read(position: number, remembered: readonly string[], first: number) {
    const requests = (await gateway.upstreamRequests()).length;
    const left = async () =>
      Number((await gateway.execute("{ __typename }")).headers.get("ratelimit-remaining"));
    const before = await left();
    const response = await gateway.execute<unknown>(query, {
      after: encodeCursor({ position, total: COUNT, remembered }),
      first,
    });
    return {
      response,
      requests: (await gateway.upstreamRequests()).length - requests,
      units: before - 1 - (await left()),
    };
  }

  it.each([
    ["in the middle", COUNT / 2, 10],
    ["at the end", COUNT - 1, 100],
    ["past the end", COUNT + 700, 100],
    ["far past the end", 999_999_999, 100],
  ])("%s is searched for in at most 500 rows, and expires", async (_, position, first) => {
    const { response, requests, units } = await read(position, unknown, first);
    expect(response.errors?.[0]?.extensions.code).toBe("CURSOR_EXPIRED");
    expect(requests).toBeLessThanOrEqual(50 + 5 + Math.ceil(first / 10));
    expect(units).toBeGreaterThanOrEqual(5 * requests);
  });

  it("with only one existing row does not cause repeated reads of the list", async () => {
    const remembered = [fingerprint(name(300)), ...unknown];
    const { response, requests } = await read(400, remembered, 10);
    expect(response.errors).toBeUndefined();
    expect(response.data).toEqual({
      sipEndpoints: { nodes: Array.from({ length: 10 }, (_, n) => ({ username: name(301 + n) })) },
    });
    expect(requests).toBeLessThanOrEqual(50);
  });

  it("cannot exceed MAX_COST, also with 60 of them in one operation", async () => {
    const left = async () =>
      Number((await gateway.execute("{ __typename }")).headers.get("ratelimit-remaining"));
    const before = await left();
    const fields = times(60, (n) => {
      const after = encodeCursor({ position: 4990 - 80 * n, total: COUNT, remembered: unknown });
      return `a${n}: sipEndpoints(first: 1, after: "${after}") { totalCount }`;
    });
    const { errors = [] } = await gateway.execute(`{ ${fields} }`);
    const reasons = errors.map(({ extensions: { limit, code } }) => limit ?? code);
    expect(reasons).toContain("MAX_COST");
    expect(["MAX_COST", "CURSOR_EXPIRED"]).toEqual(expect.arrayContaining([...new Set(reasons)]));
    const cost = before - 1 - (await left());
    expect(cost).toBeGreaterThan(60 * 20);
    expect(cost).toBeLessThanOrEqual(5000);
  });

  it("has a search that counts together with the cost of the operation so far", async () => {
    const small = await startGateway({ gateway: { MAX_COST: "200", PIOPIY_URL: gateway.piopiyUrl } });
    try {
      const after = encodeCursor({ position: COUNT / 2, total: COUNT, remembered: unknown });
      const { errors } = await small.execute(query, { after, first: 10 });
      expect(errors?.map(({ extensions: { limit, maximum } }) => [limit, maximum])).toEqual([
        ["MAX_COST", 200],
      ]);
    } finally {
      await small.close();
    }
  });

  it("differs from a valid one, which costs only the pages that it reads", async () => {
    const first = await read(
      9,
      Array.from({ length: 10 }, (_, index) => fingerprint(name(index))),
      10,
    );
    expect(first.response.errors).toBeUndefined();
    expect(first.requests).toBe(2);
    expect(first.units).toBeLessThan(5 * 5 + 20);
  });
});

import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { DocumentCache } from "../../src/graphql/document-cache.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const hash = (text: string) => createHash("sha256").update(text).digest("hex");
const byHash = (text: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: hash(text) } } });
const count = "query Count { sipEndpoints { totalCount } }";
const counted = { data: { sipEndpoints: { totalCount: 4 } } };
const unknownHash = { errors: [{ extensions: { code: "PERSISTED_QUERY_NOT_FOUND", retryable: false } }] };

describe("Without trusted documents", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset());

  async function send(body: object): Promise<unknown> {
    const response = await fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return response.json();
  }

  it("any document is executed, without a log entry", async () => {
    expect(await send({ query: count })).toMatchObject(counted);
    expect(gateway.log.filter((line) => line.includes("not trusted"))).toEqual([]);
  });

  it("a hash is accepted after it was sent with its document, and not before", async () => {
    expect(await send(byHash(count))).toMatchObject(unknownHash);
    expect(await gateway.upstreamRequests()).toEqual([]);
    expect(await send({ query: count, ...byHash(count) })).toMatchObject(counted);
    expect(await send(byHash(count))).toMatchObject(counted);
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toEqual([
      "list_sip",
      "list_sip",
    ]);
  });

  it("a documentId is accepted after it was sent with its document, and not before", async () => {
    const query = "query ByDocumentId { sipEndpoints { totalCount } }";
    const documentId = `sha256:${hash(query)}`;
    expect(await send({ documentId })).toMatchObject(unknownHash);
    expect(await send({ query, documentId })).toMatchObject(counted);
    for (const id of [documentId, hash(query)]) expect(await send({ documentId: id })).toMatchObject(counted);
    expect(await send(byHash(query))).toMatchObject(counted);
  });

  it.each([
    [
      "the documentId of another document",
      { query: count, documentId: hash("{ a }") },
      "`documentId` is not the SHA-256 of `query`.",
    ],
    [
      "a documentId and Apollo's extension",
      { documentId: hash(count), ...byHash(count) },
      "Send either `documentId` or the extension `persistedQuery`, not both.",
    ],
  ])("a request is rejected with %s", async (_, body, message) => {
    expect(await send(body)).toMatchObject({
      errors: [{ message: expect.stringContaining(message), extensions: { code: "BAD_REQUEST" } }],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("a document with the hash of another document is rejected and not stored", async () => {
    const [query, other] = [
      "query A { sipEndpoints { totalCount } }",
      "query B { sipEndpoints { totalCount } }",
    ];
    expect(await send({ query, ...byHash(other) })).toMatchObject({
      errors: [{ message: expect.stringMatching(/sha/i), extensions: { code: "BAD_REQUEST" } }],
    });
    expect(await gateway.upstreamRequests()).toEqual([]);
    for (const text of [query, other]) expect(await send(byHash(text))).toMatchObject(unknownHash);
  });

  it.each([
    'query { sipEndpoint(username: "alice") { username } }',
    'query { sipEndpoint(username: """alice""") { username } }',
    'query ($name: ID! = "alice") { sipEndpoint(username: $name) { username } }',
  ])("a document with a string, which may be a password, is executed and not stored: %s", async (query) => {
    expect(await send({ query, ...byHash(query) })).toMatchObject({
      data: { sipEndpoint: { username: "alice" } },
    });
    expect(await send(byHash(query))).toMatchObject(unknownHash);
  });

  it("an invalid document is not stored", async () => {
    const query = "query { nothing }";
    expect(await send({ query, ...byHash(query) })).toHaveProperty("errors");
    expect(await send(byHash(query))).toMatchObject(unknownHash);
  });
});

describe("The stored documents", () => {
  const MIB = 1024 * 1024;
  const kept = async (cache: DocumentCache<string>, names: readonly string[]) => {
    const texts = await Promise.all(names.map((name) => cache.get(name)));
    return names.filter((_, n) => texts[n] !== undefined);
  };
  const names = Array.from({ length: 30 }, (_, n) => `document-${n}`);

  it("are the most recently used ones, up to 30 MiB", async () => {
    const cache = new DocumentCache<string>();
    // A character counts as two bytes, and an entry as 500 more.
    const text = "#".repeat((MIB - 500) / 2);
    for (const name of names) await cache.set(name, text);
    expect(await kept(cache, names)).toEqual(names);
    await cache.get("document-0");
    await cache.set("one more", text);
    await cache.set("two more", text);
    expect(await kept(cache, [...names, "one more", "two more"])).toEqual([
      "document-0",
      ...names.slice(3),
      "one more",
      "two more",
    ]);
  });

  it("are not evicted for one that is larger than the limit", async () => {
    const cache = new DocumentCache<string>();
    await cache.set("small", "{ a }");
    await cache.set("large", "#".repeat(30 * MIB + 1));
    expect(await kept(cache, ["small", "large"])).toEqual(["small"]);
  });

  it("can be deleted", async () => {
    const cache = new DocumentCache<string>();
    await cache.set("a", "{ a }");
    expect([await cache.delete("a"), await cache.get("a")]).toEqual([true, undefined]);
  });
});

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { type ResponseError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const read = 'query Read { sipEndpoint(username: "alice") { sipUri username } }';
const list =
  "query List($first: Int! = 10) { sipEndpoints(first: $first) { nodes { username } totalCount } }";
const remove = 'mutation Remove { removeSipEndpoint(input: { username: "alice" }) { username } }';
const spaced = 'query Spaced { sipEndpoint(username: "a b") { username } }';
const unknown = "query Unknown { sipEndpoints { totalCount } }";
const hash = (text: string, algorithm = "sha256") => createHash(algorithm).update(text).digest("hex");
const byHash = (sha256Hash: string) => ({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
/** The forms in which a client sends the hash of a document. */
const forms: [string, (id: string) => Record<string, unknown>][] = [
  ["as documentId with its algorithm", (id) => ({ documentId: `sha256:${id}` })],
  ["as documentId", (documentId) => ({ documentId })],
  ["in Apollo's form", byHash],
];
const found = { data: { sipEndpoint: { sipUri: "sip:alice@sbc.emulator.example", username: "alice" } } };

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly ResponseError[];
}

let folder: string;
let gateway: TestGateway;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "trusted-"));
  const file = join(folder, "documents.json");
  const texts = [remove, spaced].map((text) => [hash(text), text]);
  const manifest = {
    [`sha256:${hash(read)}`]: read,
    [hash(list, "sha1")]: list,
    "x-app:list": list,
    ...Object.fromEntries(texts),
  };
  writeFileSync(file, JSON.stringify(manifest));
  gateway = await startGateway({ gateway: { TRUSTED_DOCUMENTS: "enforce", TRUSTED_DOCUMENTS_FILE: file } });
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => gateway.reset());

async function post(body: object): Promise<Body> {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return (await (await fetch(`${gateway.origin}/graphql`, init)).json()) as Body;
}

async function get(body: Readonly<Record<string, unknown>>): Promise<Body> {
  const entries = Object.entries(body).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const headers = { "graphql-require-preflight": "1" };
  const url = `${gateway.origin}/graphql?${new URLSearchParams(entries)}`;
  return (await (await fetch(url, { headers })).json()) as Body;
}

const codes = ({ errors }: Body) => errors?.map(({ extensions }) => extensions.code);
const operations = async () => (await gateway.upstreamRequests()).map(({ operation }) => operation);

describe("A trusted document is executed", () => {
  describe.each([
    ["POST", post],
    ["GET", get],
  ])("over %s", (_, send) => {
    it.each(forms)("by its hash alone %s", async (_, by) => {
      expect(await send(by(hash(read)))).toMatchObject(found);
      expect(await operations()).toEqual(["get_sip"]);
      // In the manifest, the hash of this document has no algorithm.
      expect(codes(await send({ ...by(hash(spaced)), variables: {} }))).toBeUndefined();
    });
  });

  it("by any other id that the manifest has for it", async () => {
    const { data } = await post({ documentId: "x-app:list", operationName: "List", variables: { first: 1 } });
    expect(data).toMatchObject({ sipEndpoints: { totalCount: 4 } });
  });

  it.each([
    ["POST", post],
    ["GET", get],
  ])("by any hash that the manifest has for it, with variables, over %s", async (_, send) => {
    const response = await send({ ...byHash(hash(list, "sha1")), variables: { first: 1 } });
    expect(response).toMatchObject({
      data: { sipEndpoints: { nodes: [{ username: "alice" }], totalCount: 4 } },
    });
  });

  it("by its hash and its text", async () => {
    expect(await post({ query: read, ...byHash(hash(read)) })).toMatchObject(found);
  });

  it.each([
    ["unchanged", read],
    ["on several lines", read.replaceAll(/([{}])/g, "\n  $1\n")],
    ["with comments and commas", `# mine\n${read.replace("sipUri", "sipUri, # its address\n")}`],
    ["without optional spaces", 'query Read{sipEndpoint(username:"alice"){sipUri username}}'],
    ["with its fields in another order", read.replace("sipUri username", "username sipUri")],
  ])("by its text %s", async (_, query) => {
    expect(await post({ query })).toMatchObject(found);
  });

  it("by its hash, after another document was sent with this hash and rejected", async () => {
    expect(codes(await post({ query: unknown, ...byHash(hash(read)) }))).toEqual(["BAD_REQUEST"]);
    expect(await operations()).toEqual([]);
    expect(await post(byHash(hash(read)))).toMatchObject(found);
  });

  it("only with unchanged strings, in which spaces are significant", async () => {
    expect(codes(await post({ query: spaced.replace("a b", "a  b") }))).toEqual(["DOCUMENT_NOT_TRUSTED"]);
  });

  it("when it is a mutation, but not over GET", async () => {
    expect(codes(await get(byHash(hash(remove))))).toEqual(["BAD_REQUEST"]);
    expect(await operations()).toEqual([]);
    expect(await post(byHash(hash(remove)))).toMatchObject({
      data: { removeSipEndpoint: { username: "alice" } },
    });
  });
});

describe("Any other document is rejected without an upstream request", () => {
  it("with status 403, since the client may not execute it", async () => {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify({ query: unknown }) };
    expect((await fetch(`${gateway.origin}/graphql`, init)).status).toBe(403);
  });

  afterEach(async () => expect(await operations()).toEqual([]));

  it.each([
    ["an unknown one", unknown],
    ["a trusted one with one more field", read.replace("sipUri", "sipUri password")],
    ["a trusted one with another field", read.replace("sipUri", "password")],
    ["a trusted one with another argument", read.replace("alice", "bob")],
    ["a trusted one with a field renamed", read.replace("sipUri", "address: sipUri")],
    ["a trusted one with a fragment", read.replace("sipUri", "... { password } sipUri")],
    ["a trusted one under another name", read.replace("Read", "Other")],
    ["a trusted one with another default", list.replace("10", "100")],
    ["a trusted one together with another operation", `${read} ${unknown}`],
    ["an unknown mutation", remove.replace("alice", "bob")],
    ["an introspection", "{ __schema { types { name } } }"],
  ])("%s", async (_, query) => {
    const { data, errors } = await post({
      query,
      operationName: /^(?:query|mutation) (\w+)/.exec(query)?.[1],
    });
    expect([data, errors]).toEqual([
      undefined,
      [
        {
          message: expect.stringMatching(/executes trusted documents only.*TRUSTED_DOCUMENTS_FILE/),
          extensions: { code: "DOCUMENT_NOT_TRUSTED", retryable: false, requestId: expect.any(String) },
        },
      ],
    ]);
  });

  it.each(forms)("an unknown hash %s", async (_, by) => {
    for (const send of [post, get]) {
      expect(codes(await send(by(hash(unknown))))).toEqual(["PERSISTED_QUERY_NOT_FOUND"]);
    }
  });

  it.each([
    ["another prefix", `md5:${hash(read)}`],
    ["a prefix in capitals", `SHA256:${hash(read)}`],
    ["a prefix twice", `sha256:sha256:${hash(read)}`],
    ["the name of a property of every object", "constructor"],
  ])("a documentId with %s, with a message that says what to do", async (_, documentId) => {
    const { errors } = await post({ documentId });
    expect(errors).toMatchObject([
      {
        message:
          "The gateway has no document with this `documentId`. Send the document in `query` too, or ask the operator of the gateway to add it to TRUSTED_DOCUMENTS_FILE.",
        extensions: { code: "PERSISTED_QUERY_NOT_FOUND", retryable: false },
      },
    ]);
  });

  it("one that is sent with its hash for registration, and the hash stays unknown", async () => {
    const response = await post({ query: unknown, ...byHash(hash(unknown)) });
    expect(codes(response)).toEqual(["DOCUMENT_NOT_TRUSTED"]);
    expect(codes(await post(byHash(hash(unknown))))).toEqual(["PERSISTED_QUERY_NOT_FOUND"]);
  });
});

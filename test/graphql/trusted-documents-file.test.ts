import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { MountedFile } from "../support/mounted-file.js";
import { until } from "../support/until.js";

const read = 'query Read { sipEndpoint(username: "alice") { username } }';
const list = "query List { sipEndpoints { totalCount } }";
const hash = (text: string) => createHash("sha256").update(text).digest("hex");
/** Returns the content of a manifest with these documents. */
const manifest = (...texts: readonly string[]) =>
  JSON.stringify(Object.fromEntries(texts.map((text) => [`sha256:${hash(text)}`, text])));
const ERROR = 50;
const INFO = 30;

let file: MountedFile;
let gateway: TestGateway;
beforeEach(async () => {
  file = new MountedFile(manifest(read));
  gateway = await startGateway({
    gateway: {
      TRUSTED_DOCUMENTS: "enforce",
      TRUSTED_DOCUMENTS_FILE: file.path,
      CACHE_TTL_MS: "3600000",
    },
  });
});
afterEach(async () => {
  await gateway.close();
  file.removeDirectory();
});

/** Sends a request, and returns the code of its error. */
async function codeOf(body: object): Promise<string | undefined> {
  const response = await fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  return errors?.[0]?.extensions.code;
}
const lines = () =>
  gateway.log.map((line) => JSON.parse(line)).filter(({ setting }) => setting === "TRUSTED_DOCUMENTS_FILE");

describe("TRUSTED_DOCUMENTS_FILE", () => {
  it("is read again when it changes, also for documents and responses that are cached", async () => {
    for (const body of [{ query: read }, { documentId: `sha256:${hash(read)}` }]) {
      for (let count = 0; count < 3; count++) expect(await codeOf(body)).toBeUndefined();
    }
    expect(gateway.log.filter((line) => line.includes('"cachedResponse":true'))).not.toEqual([]);
    expect(await codeOf({ query: list })).toBe("DOCUMENT_NOT_TRUSTED");
    expect(await codeOf({ documentId: hash(list) })).toBe("PERSISTED_QUERY_NOT_FOUND");
    file.replace(manifest(list));
    await until(async () => (await codeOf({ query: read })) === "DOCUMENT_NOT_TRUSTED");
    expect(await codeOf({ documentId: hash(read) })).toBe("PERSISTED_QUERY_NOT_FOUND");
    expect(await codeOf({ query: list })).toBeUndefined();
    expect(await codeOf({ documentId: hash(list) })).toBeUndefined();
    expect(lines()).toMatchObject([{ level: INFO, path: file.path, msg: "a changed file is in use" }]);
  });

  it.each<[string, () => void, string]>([
    ["becomes empty", () => file.replace(""), "is invalid"],
    ["is removed", () => file.delete(), "ENOENT"],
    ["is cut off", () => file.replace(manifest(read, list).slice(0, -9)), "is invalid"],
    ["has an invalid document", () => file.replace(manifest(list, "{ hidden(")), "a document does not parse"],
  ])("keeps the previous documents, and logs the cause, when it %s", async (_, change, cause) => {
    change();
    await until(() => lines().length > 0);
    expect(lines()).toMatchObject([
      { level: ERROR, failures: 1, mistakes: [expect.stringContaining(cause)] },
    ]);
    expect(gateway.log.join()).not.toContain("hidden");
    expect([await codeOf({ query: read }), await codeOf({ query: list })]).toEqual([
      undefined,
      "DOCUMENT_NOT_TRUSTED",
    ]);
    file.replace(manifest(list));
    await until(async () => (await codeOf({ query: list })) === undefined);
    expect(await codeOf({ query: read })).toBe("DOCUMENT_NOT_TRUSTED");
  });
});

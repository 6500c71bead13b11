import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { canaries, holdsCanary } from "../support/upstream/canaries.js";

const KEY = "made-up-key";
const alpha = { authorization: `Bearer ${KEY}` };
const trusted = "query Trusted { sipEndpoints { totalCount } }";
const literal = `mutation Create {
  createSipEndpoint(input: { username: "erin", password: ${JSON.stringify(canaries.password)} }) { password }
}`;

describe("TRUSTED_DOCUMENTS=log", () => {
  let folder: string;
  let gateway: TestGateway;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "trusted-"));
    const file = join(folder, "documents.json");
    writeFileSync(file, JSON.stringify({ one: trusted }));
    gateway = await startGateway({
      gateway: {
        AUTH: "api-key",
        API_KEYS: `alpha:${createHash("sha256").update(KEY).digest("hex")}:sip:read+sip:write+sip:password`,
        TRUSTED_DOCUMENTS: "log",
        TRUSTED_DOCUMENTS_FILE: file,
      },
    });
  });
  afterAll(async () => {
    await gateway.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => gateway.reset());

  /** Returns the log entries about documents since the last call. */
  async function linesOf(act: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
    const before = gateway.log.length;
    await act();
    const lines = gateway.log.slice(before).map((line) => JSON.parse(line));
    return lines.filter(({ msg }) => msg === "document not trusted");
  }

  it("executes an unknown document, and logs its hash and its client once, without its text", async () => {
    const lines = await linesOf(async () => {
      const { data } = await gateway.execute(literal, {}, alpha);
      expect(data).toEqual({ createSipEndpoint: { password: canaries.password } });
    });
    expect(lines).toEqual([
      expect.objectContaining({
        level: 40,
        operationName: "Create",
        sha256: expect.stringMatching(/^[\da-f]{64}$/),
        who: "alpha",
        requestId: expect.any(String),
      }),
    ]);
    expect(
      gateway.log.filter((line) => holdsCanary(line, "password") || line.includes("createSipEndpoint(")),
    ).toEqual([]);
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toContain("add_sip");
  });

  it("logs the same hash for a document in any formatting, and another for another document", async () => {
    const hashes = async (query: string) =>
      (await linesOf(() => gateway.execute(query, {}, alpha))).map(({ sha256 }) => sha256);
    const [first] = await hashes("query A { sipEndpoints { totalCount } }");
    expect(await hashes("query A {\n sipEndpoints { # all\n totalCount } }")).toEqual([first]);
    expect(await hashes("query B { sipEndpoints { totalCount } }")).not.toEqual([first]);
  });

  it("logs nothing for a trusted document, sent as text or hash", async () => {
    const lines = await linesOf(async () => {
      expect((await gateway.execute(trusted, {}, alpha)).data).toEqual({ sipEndpoints: { totalCount: 4 } });
      const response = await fetch(`${gateway.origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...alpha },
        body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: "one" } } }),
      });
      expect(await response.json()).toMatchObject({ data: { sipEndpoints: { totalCount: 4 } } });
    });
    expect(lines).toEqual([]);
  });
});

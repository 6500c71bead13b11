import { renameSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { bearer, sha256 } from "../support/auth/api-keys.js";
import { startBuiltGateway } from "../support/gateway/built-gateway.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { MountedFile } from "../support/mounted-file.js";
import { killPrograms } from "../support/program.js";
import { until } from "../support/until.js";

const read = '{ sipEndpoint(username: "alice") { username } }';
const found = { sipEndpoint: { username: "alice" } };
const ERROR = 50;
const INFO = 30;

/** Returns the content of a file with these keys, one a line. */
const entries = (...keys: readonly string[]) =>
  keys.map((key) => `${key}-name:${sha256(key)}:sip:read\n`).join("");

let file: MountedFile;
beforeEach(() => {
  file = new MountedFile(entries("kept", "revoked"));
});
afterEach(() => file.removeDirectory());

describe("API_KEYS_FILE", () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    gateway = await startGateway({
      gateway: { AUTH: "api-key", API_KEYS_FILE: file.path, CACHE_TTL_MS: "3600000" },
    });
  });
  afterEach(() => gateway.close());

  const send = (key: string) => gateway.execute(read, {}, bearer(key));
  const isRefused = async (key: string) => (await send(key)).status === 401;
  /** Returns the log entries about the file. */
  const lines = () =>
    gateway.log.map((line) => JSON.parse(line)).filter(({ setting }) => setting === "API_KEYS_FILE");

  it.each<[string, () => void]>([
    ["is swapped with its directory", () => file.replace(entries("kept", "added"))],
    [
      "is replaced by renaming another file",
      () => {
        writeFileSync(`${file.path}.new`, entries("kept", "added"));
        renameSync(`${file.path}.new`, file.path);
      },
    ],
    ["is overwritten", () => writeFileSync(file.path, entries("kept", "added"))],
  ])("is read again when it %s", async (_, change) => {
    expect((await send("revoked")).data).toEqual(found);
    expect(await isRefused("added")).toBe(true);
    change();
    await until(() => isRefused("revoked"));
    expect((await send("added")).data).toEqual(found);
    expect((await send("kept")).data).toEqual(found);
    expect(lines()).toMatchObject([{ level: INFO, path: file.path, msg: "a changed file is in use" }]);
  });

  it("revokes a key under load, also for cached responses, and no other client's request fails", async () => {
    for (let count = 0; count < 3; count++) await send("revoked");
    expect(gateway.log.filter((line) => line.includes('"cachedResponse":true'))).not.toEqual([]);
    let isOver = false;
    const statuses = new Set<number>();
    const others = Array.from({ length: 8 }, async () => {
      while (!isOver) statuses.add((await send("kept")).status);
    });
    file.replace(entries("kept"));
    await until(() => isRefused("revoked"));
    const later = await Promise.all(Array.from({ length: 20 }, () => isRefused("revoked")));
    isOver = true;
    await Promise.all(others);
    expect(new Set(later)).toEqual(new Set([true]));
    expect(statuses).toEqual(new Set([200]));
  });

  it.each<[string, () => void, string]>([
    ["becomes empty", () => file.replace(""), "is empty"],
    ["is removed", () => file.delete(), "ENOENT"],
    ["becomes a directory", () => file.replaceByDirectory(), "EISDIR"],
    ["becomes invalid", () => file.replace(`${entries("added")}hidden-entry`), "(entry 2 is invalid)"],
  ])("keeps the previous keys, and logs the cause, when it %s", async (_, change, cause) => {
    change();
    await until(() => lines().length > 0);
    expect((await send("revoked")).data).toEqual(found);
    expect(await isRefused("added")).toBe(true);
    expect(lines()).toMatchObject([
      {
        level: ERROR,
        failures: 1,
        mistakes: [expect.stringContaining(cause)],
        msg: "a changed file is invalid: its previous content stays in use",
      },
    ]);
    expect(lines()[0].mistakes[0]).toContain(JSON.stringify(file.path));
    expect(gateway.log.join()).not.toContain("hidden-entry");
    file.replace(entries("kept", "revoked"));
    await until(() => lines().length > 1);
    expect(lines()[1]).toMatchObject({ level: INFO });
    file.replace(entries("kept"));
    await until(() => isRefused("revoked"));
  });
});

describe("API_KEYS_FILE of a gateway with workers", () => {
  afterEach(killPrograms);

  it("is read again in every worker", async () => {
    const gateway = await startBuiltGateway({
      PORT: "0",
      WORKERS: "2",
      AUTH: "api-key",
      API_KEYS_FILE: file.path,
      PIOPIY_URL: "emulator",
    });
    const status = async (key: string) =>
      (
        await fetch(`${gateway.origin}/graphql`, {
          method: "POST",
          headers: { "content-type": "application/json", connection: "close", ...bearer(key) },
          body: JSON.stringify({ query: read }),
        })
      ).status;
    const pidsOf = (message: string) => {
      const lines = gateway.output.stdout.split("\n").filter((line) => line.includes(message));
      return new Set(lines.map((line) => JSON.parse(line).pid));
    };
    await until(async () => {
      await status("revoked");
      return pidsOf("request completed").size === 2;
    });
    file.replace(entries("kept"));
    await until(() => pidsOf("a changed file is in use").size === 2);
    const statuses = await Promise.all(Array.from({ length: 8 }, () => status("revoked")));
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(await status("kept")).toBe(200);
  });
});

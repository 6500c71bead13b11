import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createDirectory, runCommand, startCommand } from "../support/command-line.js";
import { closeEmulators, type EmulatorClient, startClient } from "../support/emulator/emulator-client.js";
import { storedPasswords } from "../support/emulator/stored-passwords.js";
import { type BuiltGateway, cachingOn, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { killPrograms } from "../support/program.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const USERNAMES = Array.from({ length: 1000 }, (_, index) => `user${index}`);

let emulator: EmulatorClient;
let directory: string;
let port: string;
beforeEach(async () => {
  emulator = await startClient();
  await emulator.reset({ endpoints: [] });
  directory = await createDirectory();
  port = String(await freePort());
});
afterEach(async () => {
  await killPrograms();
  await closeEmulators();
  await rm(directory, { recursive: true });
});

function startOnPort(): Promise<BuiltGateway> {
  return startBuiltGateway({ ...cachingOn(emulator.emulator), PORT: port });
}

it("sip import exits with 3 when the gateway is killed, and finishes when it is repeated with another gateway", async () => {
  const passwords = join(directory, "passwords.csv");
  const file = join(directory, "users.csv");
  await writeFile(file, ["username", ...USERNAMES].join("\n"));
  const args = ["import", file, "--passwords", passwords];
  const env = { SIP_URL: `http://127.0.0.1:${port}` };
  const first = await startOnPort();
  const { output, end } = startCommand(args, { env });
  await until(() => output.stderr.includes("100 of 1000"));
  first.child.kill("SIGKILL");
  expect(await end).toBe(3);
  expect(output.stderr).toMatch(
    /\ncreated \d+, existing 0, failed 0, not sent \d+\nThe gateway at \S+ is not reachable \(\w+\)\./,
  );
  expect(output.stderr).toMatch(/ Run the same command again to continue\.\n$/);
  await startOnPort();
  expect(await runCommand(args, { env })).toMatchObject({ exitCode: 0 });
  const stored = await storedPasswords(emulator.emulator.url);
  expect(stored.size).toBe(1000);
  const [, ...lines] = (await readFile(passwords, "utf8")).trim().split("\n");
  expect(lines.sort()).toEqual(Array.from(stored, (entry) => entry.join(",")).sort());
});

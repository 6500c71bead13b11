import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { contract } from "./contract.js";
import type { ContractAccount } from "./contract-trial.js";

/** A check that reads the list of a real account sends many requests, one after another. */
const REAL_ACCOUNT_MS = 300_000;

const realAccount = readAccount(process.env.PIOPIY_CONTRACT_ACCOUNT);

if (realAccount) {
  describe("PIOPIY", () => {
    it.each(contract)("$basis: $name", ({ run }) => run(realAccount), REAL_ACCOUNT_MS);
  });
} else {
  const readings = ["body", "status"].flatMap((errors) =>
    ["cmi", "number"].flatMap((codes) =>
      ["boolean", "string"].map((booleans) => ({ errors, codes, booleans })),
    ),
  );

  describe.each(readings)("the emulator with $errors errors, $codes codes, $booleans booleans", (reading) => {
    const settings = readEmulatorSettings({
      EMULATOR_PORT: "0",
      EMULATOR_ERRORS: reading.errors,
      EMULATOR_CODES: reading.codes,
      EMULATOR_BOOLEANS: reading.booleans,
    });
    let emulator: Emulator;

    beforeAll(async () => {
      emulator = await startEmulator(settings);
    });

    afterAll(() => emulator.close());

    it.each(contract)("$basis: $name", ({ run }) => run({ ...settings, url: emulator.url }));

    it("has the same endpoints after all checks as before", async () => {
      const body = JSON.stringify({ appid: settings.appId, secret: settings.secret, page: 1 });
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${emulator.url}list_sip`, { method: "POST", headers, body });
      expect(await response.json()).toMatchObject({ list: { count: 4 } });
    });
  });
}

/** Parses `appid:secret`. The error of an invalid value does not contain the value. */
function readAccount(text: string | undefined): ContractAccount | undefined {
  if (!text) return undefined;
  const [, appId, secret] = /^(\d+):(.+)$/.exec(text) ?? [];
  if (!appId || !secret) throw new Error("PIOPIY_CONTRACT_ACCOUNT must be appid:secret");
  return { url: "https://piopiy.telecmi.com/v1/endpoint/", appId: Number(appId), secret };
}

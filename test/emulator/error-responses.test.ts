import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { closeEmulators, type EmulatorClient, startClient } from "../support/emulator/emulator-client.js";

afterAll(closeEmulators);

const password = "made-up-1";
const known = { username: "alice", password };
const unknown = { username: "nobody", password };

/** Rows of an operation, its parameters, and the error. */
const cases: [operation: string, parameters: Record<string, unknown>, code: number, msg: string][] = [
  ["add_sip", known, 400, "username already exists"],
  ["update_sip", unknown, 400, "username does not exist"],
  ["get_sip", { username: "nobody" }, 400, "username does not exist"],
  ["remove_sip", { username: "nobody" }, 400, "username does not exist"],
  ["get_sip", { username: "ALICE" }, 400, "username does not exist"],
  ["get_sip", { username: 7 }, 400, "username must be a string"],
  ["remove_sip", { username: ["alice"] }, 400, "username must be a string"],
  ["update_sip", { ...known, password: true }, 400, "password must be a string"],
  ["list_sip", { page: 1, limit: 50 }, 400, "Unknown property: limit"],
  ["get_sip", { username: "alice", password, note: 1 }, 400, "Unknown property: password, note"],
];

for (const [operation, parameters] of Object.entries({
  add_sip: unknown,
  update_sip: known,
  get_sip: { username: "alice" },
  list_sip: { page: 1 },
  remove_sip: { username: "alice" },
})) {
  for (const name of ["appid", "secret", ...Object.keys(parameters)]) {
    for (const value of [undefined, null, ""]) {
      cases.push([operation, { ...parameters, [name]: value }, 502, `Required property missing: ${name}`]);
    }
  }
  for (const account of [{ appid: 1 }, { appid: "2222223" }, { secret: "wrong" }, { secret: 7 }]) {
    cases.push([operation, { ...parameters, ...account }, 420, "Invalid appid or secret"]);
  }
}

for (const page of [0, -1, 1.5, "1", true, 1e21, [1]]) {
  cases.push(["list_sip", { page }, 502, "page must be a whole number from 1"]);
}

async function stateOf(client: EmulatorClient): Promise<string> {
  return (await client.request("list_sip", { page: 1 })).text;
}

describe.each([
  { errors: "body", codes: "cmi" },
  { errors: "body", codes: "number" },
  { errors: "status", codes: "cmi" },
  { errors: "status", codes: "number" },
] as const)("an error response with errors=$errors and codes=$codes", ({ errors, codes }) => {
  let client: EmulatorClient;

  beforeAll(async () => {
    client = await startClient({ errors, codes });
  });

  it.each(cases)("%s %j returns %i, %s", async (operation, parameters, code, msg) => {
    const before = await stateOf(client);
    const { status, headers, text } = await client.request(operation, parameters);
    expect(status).toBe(errors === "status" ? code : 200);
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(text).toBe(
      JSON.stringify(codes === "number" ? { code, error: true, msg } : { code: `cmi-${code}`, msg }),
    );
    expect(await stateOf(client)).toBe(before);
  });
});

describe("a request with several errors", () => {
  const wrong = { secret: "wrong" };
  let client: EmulatorClient;

  beforeAll(async () => {
    client = await startClient();
  });

  it.each([
    ["a missing parameter before an unknown one", { note: 1 }, "Required property missing: username"],
    ["all missing parameters together", { appid: null }, "Required property missing: appid, username"],
    ["an unknown parameter before an invalid type", { username: 7, note: 1 }, "Unknown property: note"],
    [
      "an unknown parameter before the account",
      { username: "alice", note: 1, ...wrong },
      "Unknown property: note",
    ],
    ["an invalid type before the account", { username: 7, ...wrong }, "username must be a string"],
    ["the account before the unknown username", { username: "nobody", ...wrong }, "Invalid appid or secret"],
  ])("reports %s", async (_what, parameters, msg) => {
    expect(JSON.parse((await client.request("get_sip", parameters)).text).msg).toBe(msg);
  });
});

import { assumed, type ContractCheck, documented } from "./contract-check.js";

const invalidSecret = "not-the-secret";

/** The parameters of each operation besides the account. PIOPIY's documentation has no table of errors for `update_sip`. */
const requests = [
  { operation: "add_sip", state: documented, needs: { password: "made-up-Contract-1" }, names: true },
  { operation: "update_sip", state: assumed, needs: { password: "made-up-Contract-1" }, names: true },
  { operation: "get_sip", state: documented, needs: {}, names: true },
  { operation: "list_sip", state: documented, needs: { page: 1 }, names: false },
  { operation: "remove_sip", state: documented, needs: {}, names: true },
] as const;

/** Checks of invalid requests, and of the order in which PIOPIY validates them. */
export const refusalChecks: readonly ContractCheck[] = [
  ...requests.flatMap(({ operation, state, needs, names }) => {
    const fill = (username: string) => (names ? { username, ...needs } : needs);
    const parameters = ["appid", "secret", ...Object.keys(fill(""))];
    return [
      state(`${operation} with an invalid secret or app id is rejected with 420`, async (trial) => {
        const given = fill(trial.username());
        (await trial.execute(operation, { ...given, secret: invalidSecret })).assertRejection(420);
        (await trial.execute(operation, { ...given, appid: 1 })).assertRejection(420);
      }),

      ...parameters.map((parameter) =>
        state(`${operation} without ${parameter} is rejected with 502`, async (trial) => {
          const given = { ...fill(trial.username()), [parameter]: undefined };
          (await trial.execute(operation, given)).assertRejection(502);
        }),
      ),

      ...parameters.map((parameter) =>
        assumed(`${operation} with an empty or null ${parameter} is rejected with 502`, async (trial) => {
          const given = fill(trial.username());
          (await trial.execute(operation, { ...given, [parameter]: "" })).assertRejection(502);
          (await trial.execute(operation, { ...given, [parameter]: null })).assertRejection(502);
        }),
      ),

      assumed(`${operation} with an unknown parameter is rejected with 400`, async (trial) => {
        const given = { ...fill(trial.username()), nickname: "x" };
        (await trial.execute(operation, given)).assertRejection(400);
      }),

      assumed(`${operation} with GET is an HTTP 404 with an HTML page`, async (trial) => {
        (await trial.send(operation, { method: "GET" })).assertNotFound();
      }),
    ];
  }),

  assumed("an unknown operation is an HTTP 404 with an HTML page", async (trial) => {
    (await trial.execute("no_such_operation", {})).assertNotFound();
  }),

  assumed("an app id as a string is rejected with 420", async (trial) => {
    const appid = String(trial.account.appId);
    (await trial.execute("list_sip", { page: 1, appid })).assertRejection(420);
  }),

  assumed("a username or password that is not a string is rejected with 400", async (trial) => {
    const username = trial.username();
    (await trial.execute("add_sip", { username: [username], password: "x" })).assertRejection(400);
    (await trial.execute("add_sip", { username, password: 7 })).assertRejection(400);
  }),

  assumed(
    "a missing parameter is reported before an invalid account, and that before an unknown user",
    async (trial) => {
      const username = trial.username();
      (await trial.execute("get_sip", { secret: invalidSecret })).assertRejection(502);
      (await trial.execute("get_sip", { secret: invalidSecret, username })).assertRejection(420);
    },
  ),

  ...[
    { what: "a form", contentType: "application/x-www-form-urlencoded", body: "page=1" },
    { what: "invalid JSON", contentType: "application/json", body: '{"page": 1' },
    { what: "a JSON array", contentType: "application/json", body: "[]" },
  ].map(({ what, contentType, body }) =>
    assumed(`${what} in place of a JSON object is rejected with 400`, async (trial) => {
      const init = { method: "POST", headers: { "content-type": contentType }, body };
      (await trial.send("list_sip", init)).assertRejection(400);
    }),
  ),
];

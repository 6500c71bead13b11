import { assumed, type ContractCheck, documented } from "./contract-check.js";

const wrongSecret = "not-the-secret";

/** What each call needs besides the account. PIOPIY's documents have no table of errors for `update_sip`. */
const requests = [
  { operation: "add_sip", state: documented, needs: { password: "made-up-Contract-1" }, names: true },
  { operation: "update_sip", state: assumed, needs: { password: "made-up-Contract-1" }, names: true },
  { operation: "get_sip", state: documented, needs: {}, names: true },
  { operation: "list_sip", state: documented, needs: { page: 1 }, names: false },
  { operation: "remove_sip", state: documented, needs: {}, names: true },
] as const;

/** What PIOPIY does not take, and what it looks at first. */
export const refusalChecks: readonly ContractCheck[] = [
  ...requests.flatMap(({ operation, state, needs, names }) => {
    const fill = (username: string) => (names ? { username, ...needs } : needs);
    const parameters = ["appid", "secret", ...Object.keys(fill(""))];
    return [
      state(`${operation} with a wrong secret or app id is refused with 420`, async (trial) => {
        const given = fill(trial.username());
        (await trial.execute(operation, { ...given, secret: wrongSecret })).assertRefusal(420);
        (await trial.execute(operation, { ...given, appid: 1 })).assertRefusal(420);
      }),

      ...parameters.map((parameter) =>
        state(`${operation} without ${parameter} is refused with 502`, async (trial) => {
          const given = { ...fill(trial.username()), [parameter]: undefined };
          (await trial.execute(operation, given)).assertRefusal(502);
        }),
      ),

      ...parameters.map((parameter) =>
        assumed(`${operation} with an empty or null ${parameter} is refused with 502`, async (trial) => {
          const given = fill(trial.username());
          (await trial.execute(operation, { ...given, [parameter]: "" })).assertRefusal(502);
          (await trial.execute(operation, { ...given, [parameter]: null })).assertRefusal(502);
        }),
      ),

      assumed(`${operation} with an unknown parameter is refused with 400`, async (trial) => {
        const given = { ...fill(trial.username()), nickname: "x" };
        (await trial.execute(operation, given)).assertRefusal(400);
      }),

      assumed(`${operation} asked with GET is a real 404 with an HTML page`, async (trial) => {
        (await trial.send(operation, { method: "GET" })).assertNotFound();
      }),
    ];
  }),

  assumed("an unknown call is a real 404 with an HTML page", async (trial) => {
    (await trial.execute("no_such_call", {})).assertNotFound();
  }),

  assumed("an app id as a string is refused with 420", async (trial) => {
    const appid = String(trial.account.appId);
    (await trial.execute("list_sip", { page: 1, appid })).assertRefusal(420);
  }),

  assumed("a username or password that is not a string is refused with 400", async (trial) => {
    const username = trial.username();
    (await trial.execute("add_sip", { username: [username], password: "x" })).assertRefusal(400);
    (await trial.execute("add_sip", { username, password: 7 })).assertRefusal(400);
  }),

  assumed("a missing parameter is told before a wrong account, that before a missing user", async (trial) => {
    const username = trial.username();
    (await trial.execute("get_sip", { secret: wrongSecret })).assertRefusal(502);
    (await trial.execute("get_sip", { secret: wrongSecret, username })).assertRefusal(420);
  }),

  ...[
    { what: "a form", contentType: "application/x-www-form-urlencoded", body: "page=1" },
    { what: "broken JSON", contentType: "application/json", body: '{"page": 1' },
    { what: "a JSON array", contentType: "application/json", body: "[]" },
  ].map(({ what, contentType, body }) =>
    assumed(`${what} in place of a JSON object is refused with 400`, async (trial) => {
      const init = { method: "POST", headers: { "content-type": contentType }, body };
      (await trial.send("list_sip", init)).assertRefusal(400);
    }),
  ),
];

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { mutations, outcomeOf, write } from "../support/gateway/lost-writes.js";
import { alice, type Responder, send } from "../support/upstream/broken-upstream.js";

interface Sent {
  readonly username: string;
  readonly password: string;
  readonly page: number;
}

/** Returns the body of the response for an operation. Operations without an entry return the endpoint of the request. */
type Script = Readonly<Record<string, (sent: Sent) => object | string>>;

function scripted(script: Script): Responder {
  return (response, { operation, body }) => {
    const result = script[operation]?.(JSON.parse(body));
    send(response, result === undefined ? {} : { body: result });
  };
}

const success = (fields: object) => ({ code: "cmi-200", ...fields });
const list = (count: unknown, rows: unknown) => success({ list: { count, rows } });
const names = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`);
const rowOf = (username: string): unknown => ({ username, password: `made-up-${username}` });
const paged = (rows: readonly unknown[]): Script => ({
  list_sip: ({ page }) => list(rows.length, rows.slice(10 * (page - 1), 10 * page)),
  get_sip: ({ username }) => ({ ...alice, username, password: `made-up-${username}` }),
});

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway();
});
afterEach(() => broken.close());

const execute = (query: string, variables?: Record<string, unknown>) =>
  broken.gateway.execute<Record<string, unknown> | null>(query, variables);
const operations = () => broken.upstream.requests.map(({ operation }) => operation);
const invalid = { code: "UPSTREAM_INVALID_RESPONSE", retryable: true };

/** Responses that PIOPIY sends in time and the gateway cannot use. */
const misread: [string, Script][] = [
  ["an unknown type", { get_sip: ({ username }) => ({ ...alice, username, type: "WEBRTC" }) }],
  ["a name in another case", { get_sip: ({ username }) => ({ ...alice, username: username.toUpperCase() }) }],
  ["invalid JSON", { get_sip: () => "<h1>Hello</h1>" }],
  ["the code 503", { get_sip: () => ({ code: "cmi-503" }) }],
  ["a success without fields", { get_sip: () => success({}) }],
];

describe("A response that PIOPIY sends in time", () => {
  it.each(misread)("does not block other requests when it has %s", async (_, { get_sip }) => {
    broken.upstream.respond(
      scripted({
        ...paged([]),
        get_sip: (sent) =>
          (sent.username === "odd" && get_sip?.(sent)) || { ...alice, username: sent.username },
      }),
    );
    for (let count = 0; count < 12; count++) {
      const { errors } = await execute('{ sipEndpoint(username: "odd") { type } }');
      expect(errors).toHaveLength(1);
    }
    const others = await Promise.all(
      names(40).map((name) => execute(`{ sipEndpoint(username: "${name}") { type } }`)),
    );
    expect(others.filter(({ errors }) => errors)).toEqual([]);
    expect(outcomeOf(await broken.gateway.execute(mutations.add_sip))).toBe("done");
  });
});

describe("An endpoint with a field that has no valid value", () => {
  it.each([
    ["type", "type", "WEBRTC", "SIP or PSTN"],
    ["type", "type", undefined, "SIP or PSTN"],
    ["audio", "audio", "maybe", "true or false"],
    ["video", "video", 2, "true or false"],
    ["connectUrl", "connect_URL", undefined, "the address of an SBC"],
    ["connectUrl", "connect_URL", ["sbc.example.com"], "the address of an SBC"],
    ["sipUri", "connect_URL", "", "the address of an SBC"],
  ])("has an error at %s only: %s is %j", async (field, spelled, value, allowed) => {
    broken.upstream.respond({ body: { ...alice, [spelled]: value } });
    const others = ["connectUrl", "sipUri", "audio", "video", "type"].filter((name) =>
      spelled === "connect_URL" ? !["connectUrl", "sipUri"].includes(name) : name !== field,
    );
    const { data, errors } = await execute(
      `{ good: sipEndpoint(username: "alice") { username password ${others.join(" ")} }
         odd: sipEndpoint(username: "alice") { ${field} } }`,
    );
    expect(data).toMatchObject({
      good: { username: "alice", password: alice.password },
      odd: { [field]: null },
    });
    expect(errors).toMatchObject([{ path: ["odd", field], extensions: invalid }]);
    expect(errors?.[0]?.message).toContain(allowed);
    expect(errors?.[0]?.message).not.toContain("WEBRTC");
    expect(operations()).toEqual(["get_sip"]);
  });
});

describe("A row of the list", () => {
  const passwords = "{ sipEndpoints { nodes { username password } } }";
  const odd: [string, unknown][] = [
    ["missing", undefined],
    ["null", null],
    ["a number", 12345],
    ["empty", ""],
    ["masked by asterisks", "********"],
    ["masked by bullets", "••••"],
  ];

  it.each(
    odd,
  )("has its username when its password is %s, without another upstream request", async (_, password) => {
    const rows = names(5).map((username) =>
      username === "user-3" ? { username, password } : rowOf(username),
    );
    broken.upstream.respond(scripted(paged(rows)));
    const { data, errors } = await execute("{ sipEndpoints { nodes { username } } }");
    expect(errors).toBeUndefined();
    expect(data).toEqual({ sipEndpoints: { nodes: names(5).map((username) => ({ username })) } });
    expect(operations()).toEqual(["list_sip"]);
    // get_sip returns the password.
    const shown = await execute(passwords);
    expect(shown.errors).toBeUndefined();
    expect(shown.data).toEqual({ sipEndpoints: { nodes: names(5).map(rowOf) } });
    expect(operations().slice(1)).toEqual(["list_sip", "get_sip"]);
  });

  it.each(odd)("has an error at its password only when that is %s in get_sip too", async (_, password) => {
    const rows = names(5).map((username) =>
      username === "user-3" ? { username, password } : rowOf(username),
    );
    broken.upstream.respond(
      scripted({ ...paged(rows), get_sip: ({ username }) => ({ ...alice, username, password }) }),
    );
    const { data, errors } = await execute(passwords);
    expect(errors).toMatchObject([{ path: ["sipEndpoints", "nodes", 3, "password"], extensions: invalid }]);
    const nodes = names(5).map((username) =>
      username === "user-3" ? { username, password: null } : rowOf(username),
    );
    expect(data).toEqual({ sipEndpoints: { nodes } });
  });

  const nameless: [string, unknown][] = [
    ["without a username", { password: "made-up" }],
    ["that is null", null],
    ["that is a list", ["user-13"]],
    ["that is a string", "user-13"],
    ["whose username is a number", { username: 13, password: "made-up" }],
    ["whose username is empty", { username: "", password: "made-up" }],
    ["whose username has 257 bytes", { username: `${"ü".repeat(128)}a`, password: "made-up" }],
    ["whose username is already on the page", rowOf("user-12")],
  ];

  it.each(nameless)("%s is an error beside the other rows, and a walk continues after it", async (_, row) => {
    await broken.close();
    broken = await startBrokenGateway({ CACHE_TTL_MS: "60000" });
    const rows = names(25).map(rowOf).with(13, row);
    broken.upstream.respond(scripted(paged(rows)));
    const query = `query ($after: String) {
      list: sipEndpoints(first: 7, after: $after) { totalCount nodes { username } pageInfo { hasNextPage endCursor } }
    }`;
    // The second walk is served from cache.
    for (const requested of [7, 7]) {
      const seen: string[] = [];
      const failed: unknown[] = [];
      let after: string | null = null;
      for (let step = 0; step < 4; step++) {
        const { data, errors = [] } = await execute(query, { after });
        const { totalCount, nodes, pageInfo } = data?.list as {
          totalCount: number;
          nodes: { username: string }[];
          pageInfo: { hasNextPage: boolean; endCursor: string };
        };
        expect([totalCount, pageInfo.hasNextPage]).toEqual([25, step < 3]);
        seen.push(...nodes.map(({ username }) => username));
        failed.push(...errors.map((error) => ({ step, ...error })));
        after = pageInfo.endCursor;
      }
      expect(seen).toEqual(names(25).filter((name) => name !== "user-13"));
      expect(failed).toMatchObject([{ step: 1, path: ["list"], extensions: invalid }]);
      expect(JSON.stringify(failed)).toMatch(/offset 13\b.*requestId/);
      expect(operations()).toEqual(Array(requested).fill("list_sip"));
    }
  });

  it("without a username counts for offsets, and a page of only such rows does not end the walk", async () => {
    const rows = names(25).map((name, index) => (index < 10 ? { password: name } : rowOf(name)));
    broken.upstream.respond(scripted(paged(rows)));
    const fields = "{ nodes { username } pageInfo { hasNextPage endCursor } }";
    const first = await execute(`{ sipEndpoints ${fields} }`);
    const { nodes, pageInfo } = first.data?.sipEndpoints as {
      nodes: unknown[];
      pageInfo: { endCursor: string };
    };
    expect([nodes, pageInfo]).toMatchObject([[], { hasNextPage: true }]);
    const after = JSON.stringify(pageInfo.endCursor);
    const { data } = await execute(
      `{ walk: sipEndpoints(after: ${after}) ${fields} jump: sipEndpoints(offset: 10) ${fields} }`,
    );
    const users = names(20)
      .slice(10)
      .map((username) => ({ username }));
    expect(data).toMatchObject({ walk: { nodes: users }, jump: { nodes: users } });
  });

  it("that PIOPIY lists on two pages is returned once, and no other row is missing", async () => {
    const rows = names(25).map(rowOf).with(13, rowOf("user-3"));
    broken.upstream.respond(scripted(paged(rows)));
    const { data, errors } = await execute(
      "{ sipEndpoints(first: 20) { nodes { username } pageInfo { hasNextPage } } }",
    );
    expect(errors).toBeUndefined();
    const users = names(20)
      .filter((name) => name !== "user-13")
      .map((username) => ({ username }));
    expect(data).toEqual({ sipEndpoints: { nodes: users, pageInfo: { hasNextPage: true } } });
  });
});

describe("A page of the list", () => {
  it("is an error when PIOPIY returns the same rows for each page", async () => {
    broken.upstream.respond({ body: list(30, names(10).map(rowOf)) });
    const { errors } = await execute("{ sipEndpoints(first: 30) { totalCount nodes { username } } }");
    expect(errors).toMatchObject([
      { path: ["sipEndpoints"], extensions: { code: "UPSTREAM_INVALID_RESPONSE" } },
    ]);
  });

  it.each<[string, unknown]>([
    ["9 rows of 25", list(25, names(9).map(rowOf))],
    ["11 rows of 25", list(25, names(11).map(rowOf))],
    ["no rows of 25", list(25, [])],
    ["more rows than the count", list(3, names(10).map(rowOf))],
    ["the count -1", list(-1, names(10).map(rowOf))],
    ["the count 1.5", list(1.5, names(2).map(rowOf))],
    ["the count 25 as a string", list("25", names(10).map(rowOf))],
    ["the count 8e15", list(8e15, names(10).map(rowOf))],
    ["the count 2147483648", list(2 ** 31, names(10).map(rowOf))],
    ["no count", list(undefined, names(10).map(rowOf))],
  ])("is an error, not the end of a walk, when it has %s, and is not cached", async (_, body) => {
    await broken.close();
    broken = await startBrokenGateway({ CACHE_TTL_MS: "60000" });
    const query = "{ sipEndpoints { totalCount nodes { username } } }";
    broken.upstream.respond({ body: body as object });
    const { data, errors } = await execute(query);
    expect(data).toEqual({ sipEndpoints: null });
    expect(errors).toMatchObject([{ path: ["sipEndpoints"], extensions: invalid }]);
    expect(operations()).toEqual(["list_sip"]);
    broken.upstream.respond(scripted(paged(names(25).map(rowOf))));
    expect((await execute(query)).data).toMatchObject({ sipEndpoints: { totalCount: 25 } });
  });
});

describe("A response about another endpoint", () => {
  const password = "made-up-secret-of-bob";

  it.each([
    "bob",
    "Alice",
    "alice ",
    "a\u0301lice",
  ])("is an error for get_sip, and is not cached: %j", async (username) => {
    await broken.close();
    broken = await startBrokenGateway({ CACHE_TTL_MS: "60000" });
    const query = '{ sipEndpoint(username: "alice") { username type password } }';
    broken.upstream.respond({ body: { ...alice, username, password } });
    const { data, errors } = await execute(query);
    expect(data).toEqual({ sipEndpoint: null });
    expect(errors).toMatchObject([{ extensions: invalid }]);
    expect(operations()).toEqual(["get_sip"]);
    // Nothing was cached that could be a stale response in an outage.
    broken.upstream.respond({ status: 500, body: "" });
    expect((await execute(query)).data).toEqual({ sipEndpoint: null });
    broken.upstream.respond({});
    expect((await execute(query)).data).toEqual({
      sipEndpoint: { username: "alice", type: "SIP", password: alice.password },
    });
    expect(broken.gateway.log.join()).not.toContain(password);
  });

  it.each([
    "add_sip",
    "update_sip",
  ] as const)("does not reveal the other password after %s", async (operation) => {
    const bob = { body: { ...alice, username: "bob", password } };
    broken.upstream.respond(bob, { body: { ...alice, password } });
    const query = mutations[operation].replace("userErrors", "password sipEndpoint { password } userErrors");
    const response = await execute(query);
    expect(response.errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN", retryable: true } }]);
    expect(JSON.stringify(response)).not.toContain(password);
    expect(operations()).toEqual([operation, "get_sip"]);
    // get_sip shows that the write took effect.
    expect(await write(broken, operation, bob, { body: alice })).toEqual({
      outcome: "done",
      requests: [operation, "get_sip"],
    });
  });

  it("makes a removal be checked with get_sip, and not be sent again", async () => {
    const bob = { body: success({ username: "bob" }) };
    const gone = { body: { code: "cmi-400" } };
    expect(await write(broken, "remove_sip", bob, gone)).toEqual({
      outcome: "done",
      requests: ["remove_sip", "get_sip"],
    });
    expect(await write(broken, "remove_sip", bob, {})).toEqual({
      outcome: "OUTCOME_UNKNOWN",
      requests: ["remove_sip", "get_sip"],
    });
  });
});

describe("The password that a write reports", () => {
  const generated = {
    add_sip:
      'mutation { it: createSipEndpoint(input: { username: "alice" }) { password sipEndpoint { password } } }',
    update_sip:
      'mutation { it: rotateSipEndpointPassword(input: { username: "alice" }) { password sipEndpoint { password } } }',
  };

  describe.each(["add_sip", "update_sip"] as const)("%s", (operation) => {
    it.each<[string, unknown]>([
      ["nothing", undefined],
      ["null", null],
      ["an empty string", ""],
      ["asterisks", "****"],
      ["bullets", "••••••••"],
    ])("is the generated one when PIOPIY returns %s instead", async (_, password) => {
      broken.upstream.respond({ body: { ...alice, password } });
      const { data, errors } = await execute(generated[operation]);
      expect(errors).toBeUndefined();
      const sent = JSON.parse(broken.upstream.requests[0]?.body ?? "{}").password;
      expect(sent).toMatch(/^\w{22}$/);
      expect(data).toEqual({ it: { password: sent, sipEndpoint: { password: sent } } });
      expect(operations()).toEqual([operation]);
    });

    it.each([
      ["truncated", "made-up"],
      ["in another case", "MADE-UP-1"],
      ["with a space", "made-up-1 "],
      ["in full-width letters", "ｍade-up-1"],
      ["partly masked", "m*****p-1"],
      ["another one", "something-else"],
    ])("is not one that PIOPIY returns %s: get_sip must prove the write", async (_, password) => {
      const changed = { body: { ...alice, password } };
      expect(await write(broken, operation, changed, changed)).toEqual({
        outcome: "OUTCOME_UNKNOWN",
        requests: [operation, "get_sip"],
      });
      expect(await write(broken, operation, changed, { body: alice })).toEqual({
        outcome: "done",
        requests: [operation, "get_sip"],
      });
    });
  });
});

describe("A lost write", () => {
  const cut: Responder = (response) => response.destroy();
  const unclear: [string, unknown][] = [
    ["masked", "****"],
    ["missing", undefined],
    ["empty", ""],
    ["truncated", "made-up"],
    ["longer", "made-up-12"],
    ["in another case", "Made-Up-1"],
    ["trimmed or padded", " made-up-1"],
    ["in full-width letters", "ｍade-up-1"],
    ["partly masked", "m*****p-1"],
  ];

  it.each(unclear)("is OUTCOME_UNKNOWN when the password that PIOPIY returns is %s", async (_, password) => {
    for (const operation of ["add_sip", "update_sip"] as const) {
      expect(await write(broken, operation, cut, { body: { ...alice, password } })).toEqual({
        outcome: "OUTCOME_UNKNOWN",
        requests: [operation, "get_sip"],
      });
    }
  });

  it.each(
    unclear,
  )("is OUTCOME_UNKNOWN when it is repeated with an idempotency key and the password is %s", async (_, password) => {
    broken.upstream.respond({ body: { code: "cmi-400" } }, { body: { ...alice, password } });
    const { errors } = await execute(
      mutations.add_sip.replace('"made-up-1"', '"made-up-1", idempotencyKey: "0e7c8a7e"'),
    );
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining("rotateSipEndpointPassword"),
        extensions: { code: "OUTCOME_UNKNOWN" },
      },
    ]);
    expect(operations()).toEqual(["add_sip", "get_sip"]);
  });

  it.each([
    ["without", "", "The generated password is lost"],
    ["with", ', idempotencyKey: "0e7c8a7e"', "returns the same generated password"],
  ])("reports whether the generated password is lost, %s an idempotency key", async (_, key, advice) => {
    broken.upstream.respond(cut, { body: { ...alice, password: "****" } });
    const { errors } = await execute(
      `mutation { createSipEndpoint(input: { username: "alice"${key} }) { password } }`,
    );
    expect(errors).toMatchObject([
      { message: expect.stringContaining(advice), extensions: { code: "OUTCOME_UNKNOWN" } },
    ]);
  });
});

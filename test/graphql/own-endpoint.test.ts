import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { bearer } from "../support/auth/api-keys.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let issuer: Issuer;
let key: SigningKey;
let gateway: TestGateway;
beforeAll(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  await issuer.publish(key);
  gateway = await startGateway({
    gateway: { ...issuer.settings, JWT_USERNAME_CLAIM: "sip_username", CACHE_TTL_MS: "60000" },
  });
});
afterAll(async () => {
  await gateway.close();
  await issuer.close();
});
// The emulator forgets its endpoints without an invalidation, so each test has other ones.
let names: { alice: string; bob: string };
let nth = 0;
beforeEach(async () => {
  nth += 1;
  names = { alice: `alice-${nth}`, bob: `bob-${nth}` };
  await gateway.reset({
    endpoints: Object.values(names).map((username) => ({ username, password: `made-up-of-${username}` })),
  });
});

/** Sends an operation of the app of a person. */
async function send<Data extends Record<string, unknown>>(
  query: string,
  variables: Record<string, unknown> = {},
  sip_username = names.alice,
  scope = "sip:self",
) {
  const token = await sign(key, { sub: `person-${nth}`, scope, sip_username });
  return gateway.execute<Data>(query, variables, bearer(token));
}

/** Returns the upstream requests that `act` causes. */
async function requestsOf(act: () => Promise<unknown>): Promise<string[]> {
  const before = (await gateway.upstreamRequests()).length;
  await act();
  const requests = await gateway.upstreamRequests();
  return requests.slice(before).map(({ operation, username }) => `${operation} ${username}`);
}

/** Returns the entries of the audit log that `act` causes. */
async function auditOf(act: () => Promise<unknown>): Promise<unknown[]> {
  const before = gateway.log.length;
  await act();
  return gateway.log
    .slice(before)
    .map((line) => JSON.parse(line))
    .filter(({ name }) => name === "audit")
    .map(({ who, what, username, outcome }) => {
      expect(who).toBe(`person-${nth}`);
      return `${what} ${username} ${outcome}`;
    });
}

const fields = "username password";
const nodes = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on SipEndpoint { ${fields} } } }`;
const entities = `query ($representations: [_Any!]!) {
  _entities(representations: $representations) { ... on SipEndpoint { ${fields} } }
}`;
const rotate =
  "mutation ($username: ID!) { rotateSipEndpointPassword(input: { username: $username }) { password userErrors { code } } }";
const finders: [string, string, (name: string) => Record<string, unknown>, string][] = [
  [
    "sipEndpoint",
    `query ($username: ID!) { sipEndpoint(username: $username) { ${fields} } }`,
    (username) => ({ username }),
    "sipEndpoint",
  ],
  [
    "node",
    `query ($id: ID!) { node(id: $id) { ... on SipEndpoint { ${fields} } } }`,
    (name) => ({ id: idOf(name) }),
    "node",
  ],
  ["nodes", nodes, (name) => ({ ids: [idOf(name)] }), "nodes.0"],
  [
    "_entities by username",
    entities,
    (username) => ({ representations: [{ __typename: "SipEndpoint", username }] }),
    "_entities.0",
  ],
  [
    "_entities by id",
    entities,
    (name) => ({ representations: [{ __typename: "SipEndpoint", id: idOf(name) }] }),
    "_entities.0",
  ],
];
const fieldOf = (name: string) => `Query.${name.split(" ")[0]}`;

describe("A client with sip:self", () => {
  it("reads its own endpoint with its password by mySipEndpoint, and the audit log records it", async () => {
    const { alice } = names;
    const read = () => send(`{ mySipEndpoint { ${fields} sipUri } }`);
    expect((await read()).data).toEqual({
      mySipEndpoint: {
        username: alice,
        password: `made-up-of-${alice}`,
        sipUri: `sip:${alice}@sbc.emulator.example`,
      },
    });
    expect(await auditOf(read)).toEqual([
      `Query.mySipEndpoint ${alice} done`,
      `SipEndpoint.password ${alice} done`,
    ]);
  });

  it.each(
    finders,
  )("reads its own endpoint with its password by %s, and the audit log records it", async (name, query, variables) => {
    const { alice } = names;
    let response: unknown;
    const entries = await auditOf(async () => {
      response = await send(query, variables(alice));
    });
    expect(response).not.toHaveProperty("errors");
    const found = [Object.values(Object(response).data)[0]].flat();
    expect(found).toEqual([{ username: alice, password: `made-up-of-${alice}` }]);
    expect(entries).toEqual([`${fieldOf(name)} ${alice} done`, `SipEndpoint.password ${alice} done`]);
  });

  it.each(
    finders,
  )("gets one and the same FORBIDDEN by %s for other names, whether or not they exist, and sends no upstream request", async (name, query, variables, path) => {
    const { alice, bob } = names;
    const strangers = [bob, `nobody-${nth}`, alice.toUpperCase(), `${alice} `, ` ${alice}`, alice.slice(1)];
    const shown = new Set<string>();
    for (const stranger of strangers) {
      const requests = await requestsOf(async () => {
        const { status, errors = [] } = await send(query, variables(stranger));
        expect(status).toBe(200);
        expect(errors.map((error) => [error.path?.join("."), error.extensions.code])).toEqual([
          [path, "FORBIDDEN"],
        ]);
        for (const { message } of errors) shown.add(message);
      });
      expect(requests).toEqual([]);
    }
    expect([...shown]).toEqual([
      `${fieldOf(name)} needs the scope sip:read for this SIP endpoint. With the scope sip:self, a credential can use only its own ` +
        `SIP endpoint, which is "${alice}". Ask the operator of the gateway for a credential with this scope.`,
    ]);
  });

  it("gets FORBIDDEN at the index of a foreign id of nodes, null for a malformed one, and its own endpoint", async () => {
    const { alice, bob } = names;
    let response: Awaited<ReturnType<typeof send>> | undefined;
    const requests = await requestsOf(async () => {
      const ids = [idOf(bob), idOf(alice), "made-up", "", Buffer.from("Product:5").toString("base64url")];
      response = await send(nodes, { ids });
    });
    expect(response?.data).toEqual({
      nodes: [null, { username: alice, password: `made-up-of-${alice}` }, null, null, null],
    });
    expect(response?.errors).toMatchObject([{ path: ["nodes", 0], extensions: { code: "FORBIDDEN" } }]);
    expect(requests).toEqual([`get_sip ${alice}`]);
  });

  it("gets FORBIDDEN at the index of a foreign reference, and its own endpoint by both keys", async () => {
    const { alice, bob } = names;
    let response: Awaited<ReturnType<typeof send>> | undefined;
    const keys = [
      { username: alice },
      { username: bob },
      { id: idOf(alice) },
      { id: idOf(bob) },
      { id: "made-up" },
    ];
    const representations = keys.map((key) => ({ __typename: "SipEndpoint", ...key }));
    const audit = await auditOf(async () => {
      expect(
        await requestsOf(async () => {
          response = await send(entities, { representations });
        }),
      ).toEqual([`get_sip ${alice}`]);
    });
    const own = { username: alice, password: `made-up-of-${alice}` };
    expect(response?.data).toEqual({ _entities: [own, null, own, null, null] });
    expect(response?.errors).toMatchObject([
      { path: ["_entities", 1], extensions: { code: "FORBIDDEN" } },
      { path: ["_entities", 3], extensions: { code: "FORBIDDEN" } },
    ]);
    // The second rejection is aggregated.
    expect(audit.sort()).toEqual([
      `Query._entities ${alice} done`,
      `Query._entities ${alice} done`,
      `Query._entities ${bob} FORBIDDEN`,
      `SipEndpoint.password ${alice} done`,
      `SipEndpoint.password ${alice} done`,
    ]);
  });

  it("rotates the password of its own endpoint only, and the audit log records both", async () => {
    const { alice, bob } = names;
    const mutations = await auditOf(async () => {
      const { data } = await send<{ rotateSipEndpointPassword: { password: string } }>(rotate, {
        username: alice,
      });
      expect(data.rotateSipEndpointPassword).toEqual({
        password: expect.stringMatching(/^\w{22}$/),
        userErrors: [],
      });
      for (const username of [bob, `nobody-${nth}`, "", "x".repeat(300)]) {
        const requests = await requestsOf(async () => {
          const { status, data, errors } = await send(rotate, { username });
          expect([status, data]).toEqual([200, { rotateSipEndpointPassword: null }]);
          expect(errors).toMatchObject([
            {
              message: expect.stringContaining(
                "Mutation.rotateSipEndpointPassword needs the scope sip:write for this SIP endpoint.",
              ),
              path: ["rotateSipEndpointPassword"],
              extensions: { code: "FORBIDDEN", retryable: false },
            },
          ]);
        });
        expect(requests).toEqual([]);
      }
    });
    expect(mutations).toEqual([
      `Mutation.rotateSipEndpointPassword ${alice} done`,
      `Mutation.rotateSipEndpointPassword ${bob} FORBIDDEN`,
    ]);
  });

  it("gets FORBIDDEN as the error of a field, not of the request: the status is 294 or 200", async () => {
    const token = await sign(key, { scope: "sip:self", sip_username: names.alice });
    const query = `{ sipEndpoint(username: "${names.bob}") { username } mySipEndpoint { username } }`;
    for (const [accept, status] of [
      ["application/graphql-response+json", 294],
      ["application/json", 200],
    ] as const) {
      const response = await gateway.execute(query, {}, { ...bearer(token), accept });
      expect([response.status, response.data]).toEqual([
        status,
        { sipEndpoint: null, mySipEndpoint: { username: names.alice } },
      ]);
    }
  });

  it("gets null and a user error if PIOPIY does not have its endpoint", async () => {
    const username = `carol-${nth}`;
    const audit = await auditOf(async () => {
      expect((await send("{ mySipEndpoint { username } }", {}, username)).data).toEqual({
        mySipEndpoint: null,
      });
      expect((await send(rotate, { username }, username)).data).toEqual({
        rotateSipEndpointPassword: { password: null, userErrors: [{ code: "SIP_ENDPOINT_NOT_FOUND" }] },
      });
    });
    expect(audit).toEqual([
      `Query.mySipEndpoint ${username} done`,
      `Mutation.rotateSipEndpointPassword ${username} SIP_ENDPOINT_NOT_FOUND`,
    ]);
  });

  it("has the error of a failed upstream request in the audit log", async () => {
    await gateway.addFault({ operation: "get_sip", username: names.alice, kind: "status", status: 404 });
    expect(await auditOf(() => send("{ mySipEndpoint { username } }"))).toEqual([
      `Query.mySipEndpoint ${names.alice} UPSTREAM_REJECTED`,
    ]);
  });

  it("has an audit log entry for a list and a mutation that it may not use", async () => {
    const remove = `mutation { removeSipEndpoint(input: { username: "${names.alice}" }) { username } }`;
    const audit = await auditOf(async () => {
      await send("{ sipEndpoints { totalCount } }");
      await send(remove);
    });
    expect(audit).toEqual([
      "Query.sipEndpoints undefined FORBIDDEN",
      `Mutation.removeSipEndpoint ${names.alice} FORBIDDEN`,
    ]);
  });
});

describe("The response to a person", () => {
  const [, find, variables] = finders[0] ?? ["", "", () => ({})];
  it.each([
    ["mySipEndpoint", "{ mySipEndpoint { username sipUri } }", () => ({})],
    ["sipEndpoint", find.replace(" password", " sipUri"), () => variables(names.alice)],
  ])("is not returned to another person who sends the same query with %s", async (_, query, variables) => {
    const { alice, bob } = names;
    for (const scope of ["sip:self", "sip:read", "sip:read sip:self"]) {
      // The third response may come from the cache.
      for (let time = 0; time < 3; time++) await send(query, variables(), alice, scope);
      const { data, errors } = await send(query, variables(), bob, scope);
      const [endpoint] = Object.values(Object(data));
      const isOwn = query.includes("mySipEndpoint");
      if (isOwn) expect(endpoint).toMatchObject({ username: bob });
      else if (scope === "sip:self") expect([endpoint, errors?.length]).toEqual([null, 1]);
      else expect(endpoint).toMatchObject({ username: alice });
    }
  });

  it("is cached for a person with sip:read, as other responses are", async () => {
    const before = gateway.log.length;
    for (let time = 0; time < 3; time++) {
      await send("{ mySipEndpoint { username sipUri } }", {}, names.alice, "sip:read");
    }
    const completed = gateway.log.slice(before).map((line) => JSON.parse(line));
    expect(
      completed
        .filter(({ msg }) => msg === "request completed")
        .map(({ cachedResponse }) => cachedResponse === true),
    ).toEqual([false, false, true]);
  });
});

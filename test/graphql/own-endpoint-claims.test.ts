import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { type Issuer, makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { idOf } from "../support/gateway/ids.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let issuer: Issuer;
let key: SigningKey;
let gateway: TestGateway | undefined;
beforeAll(async () => {
  issuer = await startIssuer();
  key = await makeKey("key-1");
  await issuer.publish(key);
});
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});
afterAll(() => issuer.close());

async function start(JWT_USERNAME_CLAIM: string): Promise<TestGateway> {
  gateway = await startGateway({ gateway: { ...issuer.settings, JWT_USERNAME_CLAIM } });
  await gateway.reset({
    endpoints: ["alice", "Alice", " alice ", "Zoë Ring", "5", "Object"].map((username) => ({
      username,
      password: "made-up-Lantern-27",
    })),
  });
  return gateway;
}

const headersOf = async (claims: Record<string, unknown>, scope = "sip:self") =>
  bearer(await sign(key, { scope, ...claims }));
const mine = "{ mySipEndpoint { username password } }";

describe("JWT_USERNAME_CLAIM", () => {
  it.each<[string, string, Record<string, unknown>, string | null]>([
    ["by its name", "sip_username", { sip_username: "alice" }, "alice"],
    ["in another letter case", "sip_username", { sip_username: "Alice" }, "Alice"],
    ["in a letter case that PIOPIY does not have", "sip_username", { sip_username: "ALICE" }, null],
    ["with spaces around it", "sip_username", { sip_username: " alice " }, " alice "],
    ["with a space that PIOPIY does not have", "sip_username", { sip_username: "alice " }, null],
    ["with a space and a diaeresis", "sip_username", { sip_username: "Zoë Ring" }, "Zoë Ring"],
    ["of 256 bytes", "sip_username", { sip_username: "x".repeat(256) }, null],
    ["by a name with dots", "https://example.com/sip", { "https://example.com/sip": "alice" }, "alice"],
    ["by a dotted path", "person.sip.name", { person: { sip: { name: "alice" } } }, "alice"],
    ["in the subject", "sub", { sub: "alice" }, "alice"],
  ])("finds a username %s", async (_, claim, claims, username) => {
    const { execute } = await start(claim);
    for (const scope of ["sip:self", "sip:read sip:password"]) {
      const { status, data, errors } = await execute(mine, {}, await headersOf(claims, scope));
      expect([status, errors, data]).toEqual([
        200,
        undefined,
        { mySipEndpoint: username === null ? null : { username, password: "made-up-Lantern-27" } },
      ]);
    }
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["is missing", "sip_username", {}],
    ["is empty", "sip_username", { sip_username: "" }],
    ["is null", "sip_username", { sip_username: null }],
    ["is a number", "sip_username", { sip_username: 5 }],
    ["is an array", "sip_username", { sip_username: ["alice"] }],
    ["is an object", "sip_username", { sip_username: { alice: "alice" } }],
    ["has a control character", "sip_username", { sip_username: "alice\n" }],
    ["is longer than 256 bytes", "sip_username", { sip_username: "ü".repeat(129) }],
    ["is on an inherited path", "constructor.name", { sip_username: "alice" }],
  ])("gives no username when it %s: one's own endpoint is FORBIDDEN", async (_, claim, claims) => {
    const { execute, upstreamRequests } = await start(claim);
    for (const scope of ["sip:self", "sip:read"]) {
      const { status, data, errors } = await execute(mine, {}, await headersOf(claims, scope));
      expect([status, data, errors]).toMatchObject([
        200,
        { mySipEndpoint: null },
        [
          {
            message:
              `Query.mySipEndpoint needs the claim "${claim}" of the token (JWT_USERNAME_CLAIM). In this token it is missing or no username: ` +
              "it must be a string of 1 to 256 bytes of UTF-8 without control characters. Ask the operator of the gateway for a token with this claim.",
            path: ["mySipEndpoint"],
            extensions: { code: "FORBIDDEN", retryable: false },
          },
        ],
      ]);
      expect(errors).toHaveLength(1);
    }
    const queries = [
      ...["alice", "5", "Object"].map((name) => `{ sipEndpoint(username: "${name}") { username } }`),
      `{ node(id: "${idOf("alice")}") { id } }`,
      'mutation { rotateSipEndpointPassword(input: { username: "alice" }) { password } }',
    ];
    for (const query of queries) {
      const { errors } = await execute(query, {}, await headersOf(claims));
      expect(errors).toMatchObject([
        {
          message: expect.stringContaining(
            "a credential can use only its own SIP endpoint, and it has none.",
          ),
          extensions: { code: "FORBIDDEN" },
        },
      ]);
    }
    expect(await upstreamRequests()).toEqual([]);
  });
});

describe("Query.mySipEndpoint", () => {
  it.each<[string, () => Promise<[Record<string, string>, Record<string, string>]>]>([
    ["with AUTH=none", async () => [{ AUTH: "none" }, {}]],
    ["with an API key", async () => [apiKeys({ reader: "sip:read" }), bearer("reader")]],
    [
      "without JWT_USERNAME_CLAIM",
      async () => [issuer.settings, await headersOf({ sip_username: "alice", sub: "alice" })],
    ],
  ])("is NOT_CONFIGURED %s", async (_, settings) => {
    const [variables, headers] = await settings();
    gateway = await startGateway({ gateway: variables });
    const { status, data, errors } = await gateway.execute(mine, {}, headers);
    expect([status, data, errors]).toMatchObject([
      200,
      { mySipEndpoint: null },
      [
        {
          message:
            "Query.mySipEndpoint needs tokens with the SIP username of a person. The operator of the gateway must set AUTH=jwt and JWT_USERNAME_CLAIM.",
          path: ["mySipEndpoint"],
          extensions: { code: "NOT_CONFIGURED", retryable: false },
        },
      ],
    ]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

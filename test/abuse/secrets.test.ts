import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway, type TestGatewayOptions } from "../support/gateway/test-gateway.js";
import { startBrokenUpstream } from "../support/upstream/broken-upstream.js";
import { canaries, echoes, holdsCanary } from "../support/upstream/canaries.js";

const { key, password, secret } = canaries;
const answerSecret = "canary-secret-of-answer-urls-which-is-long";
const sha256 = createHash("sha256").update(key).digest("hex");
const authorization = `Bearer ${key}`;
const files = readdirSync("schema/operations").sort();
const operations = files
  .map((file) => readFileSync(`schema/operations/${file}`, "utf8"))
  // An API key belongs to no person.
  .filter((query) => !query.includes("mySipEndpoint"));
/** The number of operations that send upstream requests. */
const UPSTREAM_OPERATIONS = 7;
const inputs: Record<string, object> = {
  CreateSipEndpoint: { input: { username: "erin", password } },
  UpdateSipEndpoint: { input: { username: "alice", password } },
};

let gateway: TestGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

function start({ gateway: settings, emulator = {} }: TestGatewayOptions): Promise<TestGateway> {
  const clients = { AUTH: "api-key", API_KEYS: `app:${sha256}:sip:read+sip:write+sip:password` };
  const answerUrls = {
    PUBLIC_URL: "https://gateway.example.com",
    ANSWER_URL_SECRET: `${answerSecret}, ${answerSecret}-2`,
  };
  return startGateway({ gateway: { ...clients, ...answerUrls, ...settings }, emulator });
}

/** Executes every operation. Checks that secrets are only in fields named `password`, and returns the error codes. */
async function runAll({ origin, log }: TestGateway): Promise<unknown[]> {
  const codes: unknown[] = [];
  for (const query of operations) {
    const variables = inputs[/^\w+ (\w+)/m.exec(query)?.[1] ?? ""];
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify({ query, variables }),
    });
    const headers = JSON.stringify([...response.headers]);
    const text = await response.text();
    const { data, errors = [] } = JSON.parse(text);
    const hidden = JSON.stringify(data, (key, value) => (key === "password" ? undefined : value)) ?? "";
    for (const place of [hidden, JSON.stringify(errors), headers]) {
      expect(holdsCanary(place, "password")).toBe(false);
    }
    expect(holdsCanary(text + headers, "secret") || holdsCanary(text + headers, "key")).toBe(false);
    codes.push(...errors.map(({ extensions }: { extensions: { code: unknown } }) => extensions.code));
  }
  expectQuiet(log);
  return codes;
}

function expectQuiet(log: readonly string[]): void {
  expect(log.length).toBeGreaterThan(0);
  const kinds = ["secret", "password", "key"] as const;
  expect(log.filter((line) => kinds.some((kind) => holdsCanary(line, kind)))).toEqual([]);
}

const shortTimeouts = { PIOPIY_TIMEOUT_MS: "100", PIOPIY_DEADLINE_MS: "600", LOG_LEVEL: "trace" };
const endpoints = [
  { username: "alice", password },
  { username: "bob", password },
];

describe("The secret and the passwords are only in requests to PIOPIY and in fields named password", () => {
  it.each([
    [{ EMULATOR_ERRORS: "body" }, []],
    [{ EMULATOR_ERRORS: "status" }, []],
    [{ EMULATOR_CODES: "number", EMULATOR_BOOLEANS: "string" }, []],
  ])("when PIOPIY succeeds: %j", async (emulator, codes) => {
    gateway = await start({ emulator: { ...emulator, EMULATOR_SECRET: secret } });
    await gateway.reset({ endpoints });
    expect(await runAll(gateway)).toEqual(codes);
    await gateway.reset({ endpoints });
    const shown = await gateway.execute<{ sipEndpoint: unknown }>(
      '{ sipEndpoint(username: "alice") { password } }',
      {},
      { authorization },
    );
    expect(shown.data.sipEndpoint).toEqual({ password });
  });

  it.each([
    [{ kind: "latency", ms: 300 }, "UPSTREAM_TIMEOUT"],
    [{ kind: "hang" }, "UPSTREAM_TIMEOUT"],
    [{ kind: "reset" }, "UPSTREAM_UNAVAILABLE"],
    [{ kind: "lose-reply" }, "UPSTREAM_UNAVAILABLE"],
    [{ kind: "garbage" }, "UPSTREAM_INVALID_RESPONSE"],
    [{ kind: "status", status: 404 }, "UPSTREAM_REJECTED"],
    [{ kind: "status", status: 420 }, "UPSTREAM_UNAUTHENTICATED"],
    [{ kind: "status", status: 500 }, "UPSTREAM_UNAVAILABLE"],
    [{ kind: "status", status: 503, retryAfter: 3600 }, "UPSTREAM_UNAVAILABLE"],
  ])("when the emulator fails: %j", async (fault, code) => {
    gateway = await start({ emulator: { EMULATOR_SECRET: secret }, gateway: shortTimeouts });
    await gateway.reset({ endpoints });
    await gateway.addFault({ ...fault, times: 100 });
    const codes = await runAll(gateway);
    expect(codes).toContain(code);
    expect(codes).toHaveLength(UPSTREAM_OPERATIONS);
  });

  it("when PIOPIY rejects the account", async () => {
    gateway = await start({ gateway: { PIOPIY_SECRET: secret } });
    expect(await runAll(gateway)).toEqual(Array(UPSTREAM_OPERATIONS).fill("UPSTREAM_UNAUTHENTICATED"));
  });

  it("when PIOPIY is unreachable", async () => {
    const gone = await startBrokenUpstream();
    await gone.close();
    gateway = await start({ gateway: { PIOPIY_SECRET: secret, PIOPIY_URL: gone.url } });
    expect(await runAll(gateway)).toEqual(Array(UPSTREAM_OPERATIONS).fill("UPSTREAM_UNAVAILABLE"));
  });

  it.each(echoes)("when PIOPIY repeats the request in its response: %s", async (_, responder) => {
    const upstream = await startBrokenUpstream();
    upstream.respond(responder);
    gateway = await start({ gateway: { ...shortTimeouts, PIOPIY_SECRET: secret, PIOPIY_URL: upstream.url } });
    expect(await runAll(gateway)).toHaveLength(UPSTREAM_OPERATIONS);
    expect(upstream.requests.length).toBeGreaterThanOrEqual(5);
    await upstream.close();
  });

  const wrongFields =
    "mutation ($input: CreateSipEndpointInput!) { createSipEndpoint(input: $input) { password } }";
  it.each([
    [
      wrongFields,
      { input: { username: "erin", password, more: 1 } },
      "`$input` has a field that `CreateSipEndpointInput` does not have.",
    ],
    [
      wrongFields,
      { input: { username: "erin", password: [`a; ${password}; b`, {}] } },
      "`$input.password` must be of type `String` (got a list).",
    ],
    [wrongFields, { input: password }, "`$input` must be of type `CreateSipEndpointInput!` (got a string)."],
    [
      `{ sipEndpoints(first: ${JSON.stringify(password)}) { totalCount } }`,
      {},
      "`first` must be of type `Int` (got a string).",
    ],
    [
      `mutation { createSipEndpoint(input: ${JSON.stringify(password)}) { password } }`,
      {},
      "`input` must be of type `CreateSipEndpointInput!` (got a string).",
    ],
    [`mutation { ${JSON.stringify(password)} }`, {}, "unexpected string at line 1, column 12"],
    [`mutation { """${password} """ }`, {}, "unexpected string at line 1, column 12"],
  ])("when GraphQL rejects a value: %#", async (query, variables, reported) => {
    gateway = await start({});
    const { errors } = await gateway.execute(query, variables, { authorization });
    const text = JSON.stringify(errors?.map(({ message }) => message));
    expect(text).toContain(JSON.stringify(reported).slice(1, -1));
    expect(holdsCanary(text, "password")).toBe(false);
    expect(gateway.log.filter((line) => holdsCanary(line, "password"))).toEqual([]);
  });

  it("when a credential is rejected, or is sent in another place than its header", async () => {
    gateway = await start({});
    const { origin, log } = gateway;
    const refused = { authorization: `${authorization}-with-a-typing-error` };
    expect((await gateway.execute("{ __typename }", {}, refused)).status).toBe(401);
    expect((await fetch(`${origin}/graphql?query={__typename}&token=${key}`)).status).toBe(401);
    const { errors } = await gateway.execute(
      "query ($a: Int!) { sipEndpoints(first: $a) { totalCount } }",
      { a: key },
      { authorization },
    );
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
    expect(holdsCanary(JSON.stringify(errors), "key")).toBe(false);
    expectQuiet(log);
  });

  it("when a client sends invalid HTTP: its bytes are not logged", async () => {
    gateway = await start({});
    const { log, origin } = gateway;
    const socket = connect(Number(new URL(origin).port), "127.0.0.1");
    socket.resume().end(`${password}\r\n\r\n`);
    await once(socket, "close");
    expectQuiet(log);
    expect(log.filter((line) => line.includes('"data":['))).toEqual([]);
  });
});

import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { GraphQLError } from "graphql";
import { pino } from "pino";
import { formatError } from "../../src/graphql/format-error.js";
import { loggerOptions } from "../../src/log.js";
import { Redis } from "../../src/redis.js";
import { Secret } from "../../src/secret.js";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { times } from "./production.js";

const CANARY = "canary-password-1";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: { ...apiKeys({ "reader-key": "sip:read" }), RATE_LIMIT_PER_MINUTE: "0" },
  });
});
afterAll(() => gateway.close());

const execute = (query: string, variables?: Record<string, unknown>) =>
  gateway.execute(query, variables, bearer("reader-key"));

/** Returns the longest block of the event loop in milliseconds while a function runs. */
async function longestBlock(act: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await act();
  // A block is recorded by the next timer after it.
  await new Promise((resolve) => setTimeout(resolve, 5));
  delays.disable();
  return delays.max / 1e6;
}

describe("A rejected request of 96 kB blocks the event loop about as long as a valid one:", () => {
  const SIZE = 90_000;
  const targets = "query ($v: [ConnectTargetInput!]!) { connectAction(input: { call: $v }) { pcmo } }";
  const variables = Array.from({ length: 50 }, (_, index) => `$v${index}: Int`).join(" ");
  const uses = times(50, (index) => `a${index}: sipEndpoints(first: $v${index}) { totalCount }`);
  const parts = "; got invalid value at ; cannot represent value: Did you mean ";
  const long = parts.repeat(SIZE / parts.length);

  const unknown = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 1]));
  const create = "mutation ($v: CreateSipEndpointInput!) { createSipEndpoint(input: $v) { password } }";
  const repeated = (part: string) => part.repeat(SIZE / part.length);

  it.each<[string, string, Record<string, unknown>]>([
    ["50 unknown fields and a long text", create, { v: { username: repeated("; "), ...unknown } }],
    [
      "50 unknown fields and a long text of suggestions",
      create,
      { v: { username: repeated(" Did you mean "), ...unknown } },
    ],
    [
      "50 unknown fields and a long text of error messages",
      create,
      { v: { username: repeated(" got invalid value "), ...unknown } },
    ],
    [
      "50 unknown fields in each of two inputs",
      "query ($v: ConnectActionInput!, $w: ConnectActionInput!) { a: connectAction(input: $v) { pcmo } b: connectAction(input: $w) { pcmo } }",
      { v: { from: repeated("; "), ...unknown }, w: { call: 1, ...unknown } },
    ],
    [
      "50 invalid variables, one of them long",
      `query (${variables}) { ${uses} }`,
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`v${index}`, index ? "; " : long])),
    ],
    [
      "one long value for 50 places",
      `query ($v: Int) { ${times(50, (index) => `a${index}: sipEndpoints(first: $v) { totalCount }`)} }`,
      { v: long },
    ],
    ["a list of invalid items", targets, { v: Array(SIZE / 5).fill("; ") }],
    ["a list of long invalid items", targets, { v: Array(50).fill({ user: [long.slice(0, SIZE / 50)] }) }],
    [
      "unknown fields",
      targets,
      { v: [{ user: "a", ...Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`k${i}`, 1])) }] },
    ],
    ["one very long unknown field", targets, { v: [{ user: "a", [long]: 1 }] }],
    [
      "a long text for an enum",
      "query ($t: ConnectRingType!) { connectAction(input: { call: [], ringType: $t }) { pcmo } }",
      { t: long },
    ],
    ["a long literal", `{ sipEndpoints(first: ${JSON.stringify(long)}) { totalCount } }`, {}],
    ["a long unknown name", `{ ${"x".repeat(SIZE)} }`, {}],
    ["a long unexpected string", `{ ${JSON.stringify(long)} }`, {}],
    ["an unterminated string", `{ sipEndpoint(username: "${long}`, {}],
    [
      "thousands of lines and an argument that is repeated 600 times",
      `{ sipEndpoints(${"\n".repeat(SIZE)}${"first:1 ".repeat(600)}) { totalCount } }`,
      {},
    ],
  ])("%s", async (_, query, values) => {
    const good = "query ($v: PCMO!) { validatePcmo(pcmo: $v) { valid } }";
    const quiet: number[] = [];
    const blocks: number[] = [];
    // Other work on the machine makes some blocks longer, but a request that blocks the event loop does so every time.
    for (let round = 0; round < 10; round++) {
      quiet.push(await longestBlock(() => execute(good, { v: long })));
      const act = async () => expect((await execute(query, values)).errors).toBeTruthy();
      blocks.push(await longestBlock(act));
      if (round >= 2 && Math.min(...blocks) < 20 * Math.max(...quiet)) break;
    }
    expect(Math.min(...blocks)).toBeLessThan(20 * Math.max(...quiet));
  });
});

describe("A message of a library does not reach a client with the code", () => {
  it.each([
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "OPERATION_RESOLUTION_FAILURE",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "PERSISTED_QUERY_NOT_FOUND",
    "INTERNAL_SERVER_ERROR",
    "A_CODE_OF_TOMORROW",
    "__proto__",
  ])("%s", (code) => {
    const inner = new Error(CANARY);
    const error = new GraphQLError(`Some new wording of ${CANARY}`, { originalError: inner });
    const extensions = { code, value: CANARY, stacktrace: [CANARY] };
    const formatted = formatError({ message: error.message, extensions }, error);
    expect(JSON.stringify(formatted)).not.toContain(CANARY);
    expect(formatted.message).toMatch(/^\S+.*/);
  });
});

describe("A reference with an invalid __typename", () => {
  const entities =
    "query ($of: [_Any!]!) { _entities(representations: $of) { ... on SipEndpoint { username } } }";
  it.each<[unknown]>([
    [["SipEndpoint"]],
    [[["SipEndpoint"]]],
    [{ name: "SipEndpoint" }],
    [1],
    [null],
    [`SipEndpoint ${CANARY}`],
    [CANARY],
  ])("causes no password in the log or the response: %j", async (__typename) => {
    await gateway.reset({ endpoints: [{ username: "alice", password: CANARY }] });
    const logged = gateway.log.length;
    const { errors } = await execute(entities, { of: [{ __typename, username: "alice" }] });
    expect(errors).toMatchObject([{ extensions: { code: "BAD_USER_INPUT" } }]);
    expect(JSON.stringify(errors)).not.toContain(CANARY);
    const lines = gateway.log.slice(logged);
    expect(lines.filter((line) => line.includes(CANARY) || line.includes("masked"))).toEqual([]);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });
});

describe("The log shows the class, the code and the stack frames of an error, and no message:", () => {
  const lines: string[] = [];
  const log = pino(loggerOptions("trace"), { write: (line: string) => void lines.push(line) });
  afterEach(() => {
    lines.length = 0;
  });
  class OddError extends Error {
    readonly code = "ERR_ODD";
  }
  const plain = () => new OddError(`of ${CANARY}`);
  const fake = `one\n    at ${CANARY} (/app/main.js:1:1)\n    at ${CANARY}`;
  const changed = () => Object.assign(plain(), { message: "of" });
  const joined = () => {
    const error = new Error("outer");
    return Object.assign(error, { stack: `${error.stack?.split("\n", 2).join("\n")}\n${plain().stack}` });
  };
  const rewritten = () => Object.assign(plain(), { message: `other ${CANARY}` });

  it.each<[string, (log: pino.Logger) => void]>([
    ["as the first argument", (to) => to.error(plain())],
    ["as the first argument, with a text", (to) => to.error(plain(), "text")],
    ["under `err`", (to) => to.error({ err: plain() })],
    ["under another key", (to) => to.error({ problem: plain() }, "text")],
    ["in a list", (to) => to.error({ problems: [plain(), plain()] }, "text")],
    ["as a value in a format string", (to) => to.error("a %s and a %o", plain(), plain())],
    ["in a child's bindings", (to) => to.child({ err: plain() }).info("text")],
    ["as a cause", (to) => to.error(new Error("outer", { cause: new Error("inner", { cause: plain() }) }))],
    ["as a cause of GraphQL", (to) => to.error(new GraphQLError(CANARY, { originalError: plain() }))],
    ["in an AggregateError", (to) => to.error(new AggregateError([plain()], CANARY))],
    ["with lines like stack frames in its message", (to) => to.error(new Error(fake))],
    ["with the stack of another error after its own", (to) => to.error(joined())],
    ["with a message that was shortened", (to) => to.error(changed())],
    ["with a message that was replaced", (to) => to.error(rewritten())],
    [
      "with a name and a code that are secrets",
      (to) => to.error(Object.assign(plain(), { name: CANARY, code: CANARY })),
    ],
    ["that is a string", (to) => to.error({ err: CANARY }, "text")],
    ["that is an object", (to) => to.error({ err: { message: CANARY } })],
  ])("%s", (_, write) => {
    write(log);
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(CANARY);
    expect(JSON.parse(lines[0] ?? "").msg).toMatch(/^\S/);
  });

  it("with the stack frames of its creation", () => {
    log.error(plain());
    const { err } = JSON.parse(lines[0] ?? "");
    expect(err).toMatchObject({ type: "OddError", code: "ERR_ODD" });
    expect(err.stack[0]).toMatch(/^at .*library-messages\.test\.ts:\d+:\d+\)?$/);
  });
});

describe("A secret that a server behind the gateway repeats is not logged:", () => {
  it.each([
    ["ERR", `-ERR unknown command 'AUTH', with args beginning with: '${CANARY}'\r\n`],
    ["WRONGPASS", `-WRONGPASS invalid username-password pair ${CANARY}\r\n`],
    ["NOAUTH", `-NOAUTH Authentication required. ${CANARY}\r\n`],
    ["SimpleError", `-${CANARY} is no command\r\n`],
  ])("Redis, whose error is logged only as %s", async (reason, reply) => {
    const server = createTcpServer((socket) => socket.on("data", () => socket.write(reply)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const lines: string[] = [];
    const log = pino(loggerOptions("trace"), { write: (line: string) => void lines.push(line) });
    const { port } = server.address() as AddressInfo;
    const redis = new Redis(new Secret(`redis://:${CANARY}@127.0.0.1:${port}`), log);
    await until(() => lines.length > 0);
    redis.close();
    server.close();
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ reason });
    expect(lines.join()).not.toContain(CANARY);
  });

  it.each([
    ["invalid JSON", CANARY],
    ["a string for its keys", `{"keys":"${CANARY}"}`],
    ["an invalid key", `{"keys":[{"kty":"${CANARY}","kid":"a","alg":"RS256"}]}`],
  ])("an issuer of tokens that sends %s", async (_, body) => {
    const server = createServer((_request, response) => response.end(body));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const jwt = await startGateway({
      gateway: {
        AUTH: "jwt",
        JWT_JWKS_URL: `http://127.0.0.1:${port}/`,
        JWT_ISSUER: "https://issuer.example.com",
        JWT_AUDIENCE: "gateway",
      },
    });
    const head = Buffer.from('{"alg":"RS256","kid":"a"}').toString("base64url");
    const { status } = await jwt.execute("{ __typename }", {}, bearer(`${head}.e30.AAAA`));
    expect([401, 503]).toContain(status);
    expect(jwt.log.join()).not.toContain(CANARY);
    await jwt.close();
    server.closeAllConnections();
    server.close();
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { exchange, request } from "../support/http/raw-http.js";
import { canaries, holdsCanary } from "../support/upstream/canaries.js";
import { post, send, times } from "./production.js";

const { password } = canaries;
const text = JSON.stringify(password);
/** For places where only a name is valid. */
const NAME = "canary_name_1";
const NUMBER = "987123456789012345";
const holdsAny = (shown: string) =>
  holdsCanary(shown, "password") || shown.includes(NAME) || shown.includes(NUMBER);

const gateways: Record<string, TestGateway> = {};
beforeAll(async () => {
  gateways.hints = await startGateway();
  gateways.none = await startGateway({ gateway: { INTROSPECTION: "false" } });
});
afterAll(() => Promise.all(Object.values(gateways).map((gateway) => gateway.close())));

/** Sends a request to a gateway with suggestions and to one without. Checks that no value is returned or logged. */
async function expectNoEcho(path: string, init: RequestInit): Promise<void> {
  for (const { origin, log } of Object.values(gateways)) {
    const { text: shown, headers, errors } = await send(`${origin}${path}`, init);
    expect(errors?.length).toBeGreaterThan(0);
    expect(holdsAny(shown + JSON.stringify([...headers]))).toBe(false);
    expect(log.filter(holdsAny)).toEqual([]);
  }
}

const connect = (rest: string) => `{ connectAction(input: { call: [{ user: "a" }], ${rest} }) { pcmo } }`;
const create = "mutation ($v: CreateSipEndpointInput!) { createSipEndpoint(input: $v) { password } }";
const ofInput = "query ($v: ConnectActionInput!) { connectAction(input: $v) { pcmo } }";
const call = [{ user: "a" }];

describe("A value in a rejected document is in no error and no log entry:", () => {
  it.each([
    ["a String for an Int", `{ sipEndpoints(first: ${text}) { totalCount } }`],
    ["an Int for a String", `{ sipEndpoints(after: ${NUMBER}) { totalCount } }`],
    ["an Int that is too large", `{ sipEndpoints(first: ${NUMBER}) { totalCount } }`],
    ["a Float", `{ sipEndpoints(first: ${NUMBER}.5) { totalCount } }`],
    ["an ID that is a name", `{ sipEndpoint(username: ${NAME}) { type } }`],
    ["an ID that is a list", `{ sipEndpoint(username: [${text}]) { type } }`],
    ["an enum", connect(`ringType: ${NAME}`)],
    ["an enum that is a String", connect(`ringType: ${text}`)],
    ["a PiopiyPhoneNumber", connect(`from: [${text}]`)],
    ["a PiopiyPhoneNumber that is a name", connect(`from: ${NAME}`)],
    ["an object", `{ connectAction(input: ${text}) { pcmo } }`],
    ["a target", `{ connectAction(input: { call: [${text}] }) { pcmo } }`],
    ["a key of an object", connect(`${NAME}: 1`)],
    [
      "a password of an item",
      `mutation { createSipEndpoints(input: { items: [{ username: "a", password: [${text}] }] }) { failed } }`,
    ],
    ["a repeated key", `{ validatePcmo(pcmo: { ${NAME}: 1, ${NAME}: 2 }) { valid } }`],
    ["a PCMO with a variable that is missing", `query { validatePcmo(pcmo: [${text}, $v]) { valid } }`],
    ["a block string", `{ sipEndpoints(first: """${password.replaceAll('"', "")} """) { totalCount } }`],
    ["a default", `query ($v: Int = ${text}) { sipEndpoints(first: $v) { totalCount } }`],
    ["a default of an enum", `query ($v: ConnectRingType = ${NAME}) { __typename }`],
    ["an argument of a directive", `{ __typename @skip(if: ${text}) }`],
    ["an argument of a directive that is a name", `{ __typename @include(if: ${NAME}) }`],
    ["an argument of an unknown directive", `{ __typename @nothing(if: ${text}) }`],
    ["an argument of an unknown field", `{ nothing(password: ${text}) }`],
    ["an unknown argument", `{ sipEndpoint(username: "a", password: ${text}) { type } }`],
    [
      "arguments that conflict",
      `{ a: sipEndpoint(username: ${text}) { type } a: sipEndpoint(username: "b") { type } }`,
    ],
    ["an alias of an unknown field", `{ ${NAME}: nothing }`],
    ["an alias of a field without a selection", `{ ${NAME}: sipEndpoints }`],
    ["an alias of fields that conflict", `{ sipEndpoints { ${NAME}: totalCount ${NAME}: nodes { type } } }`],
    ["a representation", `{ _entities(representations: [${text}]) { __typename } }`],
    ["a __typename", `{ _entities(representations: [{ __typename: ${text} }]) { __typename } }`],
    ["an unexpected string", `mutation { ${text} }`],
    ["an unexpected block string", `mutation { """${password.replaceAll('"', "")} """ }`],
    ["an unexpected number", `mutation { ${NUMBER} }`],
    [
      "a name among arguments",
      `mutation { createSipEndpoint(input: { password: a b ${NAME} }) { password } }`,
    ],
    ["an unterminated string", `mutation { createSipEndpoint(input: { password: ${text.slice(0, -1)}`],
    ["a string with an invalid escape", `{ sipEndpoint(username: "canary-password\\q") { type } }`],
    ["a comment", `{ nothing } # ${password}`],
  ])("%s", async (_, query) => {
    await expectNoEcho("/graphql", post({ query }));
  });
});

describe("A value in a rejected request is in no error and no log entry:", () => {
  it.each<[string, object]>([
    ["a String", { query: create, variables: { v: { username: "erin", password: [password] } } }],
    [
      "an object for a String",
      { query: create, variables: { v: { username: "a", password: { [password]: 1 } } } },
    ],
    ["a string for an object", { query: create, variables: { v: password } }],
    ["a key of an object", { query: create, variables: { v: { username: "erin", [password]: 1 } } }],
    ["a key that is a name", { query: create, variables: { v: { username: "erin", [`${NAME}`]: 1 } } }],
    ["an Int", { query: ofInput, variables: { v: { call, timeout: password } } }],
    ["a large Int", { query: ofInput, variables: { v: { call, timeout: 987123456789 } } }],
    ["an enum", { query: ofInput, variables: { v: { call, ringType: password } } }],
    ["a PiopiyPhoneNumber", { query: ofInput, variables: { v: { call, from: [password] } } }],
    ["an ID", { query: ofInput, variables: { v: { call: [{ user: { [password]: password } }] } } }],
    ["a list", { query: ofInput, variables: { v: { call: password } } }],
    [
      "text that looks like an error message",
      { query: ofInput, variables: { v: { call, loop: `x; ${password}; got invalid value` } } },
    ],
    ["an operationName", { query: "query A { __typename }", operationName: password }],
    ["an operationName that is a list", { query: "query A { __typename }", operationName: [password] }],
    ["a query", { query: [password] }],
    ["variables", { query: "{ __typename }", variables: password }],
    ["extensions", { query: "{ __typename }", extensions: password }],
    ["a hash", { extensions: { persistedQuery: { version: 1, sha256Hash: password } } }],
    [
      "a hash of another document",
      { query: "{ a }", extensions: { persistedQuery: { version: 1, sha256Hash: password } } },
    ],
    ["a version", { extensions: { persistedQuery: { version: password, sha256Hash: "ab" } } }],
    ["a batch", [{ query: password }]],
  ])("%s", async (_, body) => {
    await expectNoEcho("/graphql", post(body));
  });

  it.each<[string, Record<string, string>]>([
    ["a query", { query: `{ sipEndpoints(first: ${text}) { totalCount } }` }],
    ["variables", { query: "{ __typename }", variables: password }],
    ["variables that are a string", { query: "{ __typename }", variables: text }],
    [
      "a variable",
      { query: "query ($v: Int) { sipEndpoints(first: $v) { totalCount } }", variables: `{"v":${text}}` },
    ],
    ["extensions", { query: "{ __typename }", extensions: `{${text}}` }],
    ["an operationName", { query: "{ __typename }", operationName: password }],
  ])("in the URL: %s", async (_, parameters) => {
    const headers = { "apollo-require-preflight": "1" };
    await expectNoEcho(`/graphql?${new URLSearchParams(parameters)}`, { headers });
  });

  it.each<[string, RequestInit]>([
    [
      "a body that is not JSON",
      { method: "POST", headers: { "content-type": "application/json" }, body: password },
    ],
    ["a text/plain body", { method: "POST", headers: { "content-type": "text/plain" }, body: password }],
    ["a content type", { method: "POST", headers: { "content-type": `x/${NAME}` }, body: "{}" }],
    ["a charset", { method: "POST", headers: { "content-type": `text/x; charset=${NAME}` }, body: "{}" }],
    [
      "an accept",
      {
        ...post({ query: "{ __typename }" }),
        headers: { "content-type": "application/json", accept: `x/${NAME}` },
      },
    ],
  ])("%s", async (_, init) => {
    await expectNoEcho("/graphql", init);
  });

  it("an x-request-id that is invalid in a log", async () => {
    const headers = { "content-type": "application/json", "x-request-id": `a ${NAME}` };
    await expectNoEcho("/graphql", { method: "POST", headers, body: "{" });
  });

  it.each([
    ["a Host", `host: ${NAME} [`],
    ["a header without a name", `: ${NAME}`],
    ["a length", `content-length: ${NAME}`],
  ])("%s", async (_, line) => {
    for (const { origin, log } of Object.values(gateways)) {
      const bytes = `POST /graphql HTTP/1.1\r\nconnection: close\r\ncontent-type: application/json\r\n${line}\r\n\r\n`;
      const responses = await exchange(origin, bytes);
      expect(responses.length).toBeGreaterThan(0);
      expect(holdsAny(JSON.stringify(responses))).toBe(false);
      expect(log.filter(holdsAny)).toEqual([]);
    }
  });
});

describe("An unknown path", () => {
  const long = "canary-password-".repeat(300);
  it.each([
    ["under /answer/", "/answer/canary-password-1"],
    ["under /answer/, a long one", `/answer/${long}`],
    ["under /answer/, with more parts", "/answer/canary-password-1/more"],
    ["with two slashes", "//answer/canary-password-1"],
    ["with an escaped letter", "/%61nswer/canary-password-1"],
    ["with an escaped slash", "/answer%2fcanary-password-1"],
    ["that cannot be decoded", "/answer/%canary-password-1"],
    ["in another case", "/Answer/canary-password-1"],
    ["elsewhere", "/elsewhere/canary-password-1"],
    ["of one long name", `/${long}`],
    ["under /graphql", "/graphql/canary-password-1?canary-password"],
    ["with a query", "/unknown?canary-password-1"],
  ])("is not repeated where it may contain a token: %s", async (_, path) => {
    for (const { origin, log } of Object.values(gateways)) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const [response] = await exchange(origin, request("", {}, `${method} ${path}`));
        expect(response?.status).toBe(404);
        expect(holdsCanary(response?.body ?? "", "password")).toBe(false);
        expect(response?.body.length).toBeLessThan(500);
      }
      expect(log.filter((line) => holdsCanary(line, "password"))).toEqual([]);
    }
  });
});

describe("A long text in a request is returned with at most 60 characters:", () => {
  const long = "x".repeat(20_000);
  it.each<[string, string, Record<string, unknown>]>([
    ["an unknown field", `{ ${long} }`, {}],
    ["an unknown type", `query ($v: ${long}) { __typename }`, {}],
    ["an unknown fragment", `{ ...${long} }`, {}],
    ["an unknown directive", `{ __typename @${long} }`, {}],
    ["an unknown argument", `{ sipEndpoints(${long}: 1) { totalCount } }`, {}],
    ["an unknown variable", `{ sipEndpoints(first: $${long}) { totalCount } }`, {}],
    ["an unexpected name", `{ a } ${long}`, {}],
    ["a variable", `query ($${long}: Int!) { sipEndpoints(first: $${long}) { totalCount } }`, {}],
    [
      "an unknown username",
      "mutation ($v: ID!) { removeSipEndpoint(input: { username: $v }) { userErrors { message } } }",
      { v: long },
    ],
    [
      "an unknown target",
      "query ($v: ID!) { connectAction(verify: true, input: { call: [{ user: $v }] }) { userErrors { message } } }",
      { v: long },
    ],
    ["an operation in the log", `query ${long} { __typename }`, {}],
  ])("%s", async (_, query, variables) => {
    for (const { origin, log } of Object.values(gateways)) {
      const { text: shown } = await send(`${origin}/graphql`, post({ query, variables }));
      expect(shown).not.toContain("x".repeat(61));
      expect(log.filter((line) => line.includes("x".repeat(101)))).toEqual([]);
    }
  });

  it("many names in one document", async () => {
    const query = `{ ${times(60, (index) => `x${index}${"x".repeat(1000)}`)} }`;
    const { errors } = await send(`${gateways.hints?.origin}/graphql`, post({ query }));
    expect(errors).toHaveLength(5);
    for (const { message } of errors ?? []) expect(message.length).toBeLessThan(300);
  });
});

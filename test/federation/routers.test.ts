import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { startEmployees } from "./employees.js";
import { type RecordingProxy, startRecordingProxy } from "./recording-proxy.js";
import { type Router, routers } from "./routers.js";

describe.each(Object.entries(routers))("Behind %s", (name, startRouter) => {
  // Apollo Gateway sends no preference for a media type, so it gets application/json.
  const partialStatus = name === "Apollo Gateway" ? 200 : 294;
  let gateway: TestGateway;
  let proxy: RecordingProxy;
  let employees: Awaited<ReturnType<typeof startEmployees>>;
  let router: Router;

  beforeAll(async () => {
    gateway = await startGateway({
      gateway: { PIOPIY_TIMEOUT_MS: "2000", TRUSTED_PROXIES: "127.0.0.1,::1" },
    });
    proxy = await startRecordingProxy(`${gateway.origin}/graphql`);
    employees = await startEmployees();
    router = await startRouter(proxy.url, employees.url);
  });
  afterAll(async () => {
    await router.close();
    employees.close();
    proxy.close();
    await gateway.close();
  });
  beforeEach(async () => {
    await gateway.reset();
    proxy.requests.length = 0;
  });

  async function execute(query: string, headers: Record<string, string> = {}) {
    const response = await fetch(router.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query }),
    });
    return (await response.json()) as { data: unknown; errors?: { extensions: Record<string, unknown> }[] };
  }

  it("employees and their softphones cost one request for entities and one get_sip per distinct name", async () => {
    const { data, errors } = await execute("{ employees { name softphone { sipUri } } }");
    expect(errors).toBeUndefined();
    const softphone = (name: string) => ({ sipUri: `sip:${name}@sbc.emulator.example` });
    expect(data).toEqual({
      employees: [
        { name: "Alice Adams", softphone: softphone("alice") },
        { name: "Bob Brown", softphone: softphone("bob") },
        { name: "Beth Brown", softphone: softphone("bob") },
        { name: "Carol Clark", softphone: softphone("carol") },
        { name: "Frank Fox", softphone: null },
      ],
    });
    expect(proxy.requests.map(({ query }) => query.includes("_entities"))).toEqual([true]);
    const requested = (await gateway.upstreamRequests()).map(
      ({ operation, username }) => `${operation} ${username}`,
    );
    expect(requested.sort()).toEqual(["get_sip alice", "get_sip bob", "get_sip carol"]);
  });

  it("endpoints of the gateway resolve to employees by their key", async () => {
    const { data } = await execute("{ sipEndpoints(first: 2) { nodes { username employee { name } } } }");
    expect(data).toEqual({
      sipEndpoints: {
        nodes: [
          { username: "alice", employee: { name: "Alice Adams" } },
          { username: "bob", employee: { name: "Bob Brown" } },
        ],
      },
    });
    expect((await gateway.upstreamRequests()).map(({ operation }) => operation)).toEqual(["list_sip"]);
  });

  it("a mutation is executed, and enum defaults are applied", async () => {
    const { data } = await execute(
      'mutation { updateSipEndpoint(input: { username: "bob", password: "made-up" }) { password sipEndpoint { sipUri employee { name } } userErrors { code } } }',
    );
    expect(data).toEqual({
      updateSipEndpoint: {
        password: "made-up",
        sipEndpoint: { sipUri: "sip:bob@sbc.emulator.example", employee: { name: "Bob Brown" } },
        userErrors: [],
      },
    });
    const call = await execute(
      '{ connectAction(input: { call: [{ user: "bob" }] }) { pcmo userErrors { code } } }',
    );
    expect(call.data).toMatchObject({
      connectAction: { pcmo: [{ call_type: "audio", call: [{ type: "sip" }] }] },
    });
  });

  it("an upstream failure is returned with its code, and the other softphones are returned", async () => {
    await gateway.addFault({ operation: "get_sip", username: "bob", kind: "garbage", times: 100 });
    const { data, errors } = await execute("{ employees { name softphone { sipUri } } }");
    expect(errors?.[0]?.extensions.code).toBe("UPSTREAM_INVALID_RESPONSE");
    expect(data).toMatchObject({
      employees: [
        { softphone: { sipUri: "sip:alice@sbc.emulator.example" } },
        {},
        {},
        { name: "Carol Clark" },
        {},
      ],
    });
  });

  it("the gateway receives the address of each client, even if the client claims another one", async () => {
    const remove = 'mutation { removeSipEndpoint(input: { username: "nobody" }) { username } }';
    await execute(remove, { "x-forwarded-for": "2001:db8:0:1::7, 198.51.100.7" });
    const audit = gateway.log.map((line) => JSON.parse(line)).filter(({ name }) => name === "audit");
    expect(audit.at(-1)).toMatchObject({ who: "198.51.100.7", address: "198.51.100.7" });
    expect(proxy.requests.at(-1)?.headers["x-forwarded-for"]).toMatch(
      /^2001:db8:0:1::7, 198\.51\.100\.7, (::ffff:)?127\.0\.0\.1$/,
    );
  });

  it("a partial response is returned with its data and its errors", async () => {
    await gateway.addFault({ operation: "get_sip", username: "bob", kind: "garbage", times: 100 });
    const { data, errors } = await execute(
      '{ alice: sipEndpoint(username: "alice") { type } bob: sipEndpoint(username: "bob") { type } }',
    );
    expect(data).toEqual({ alice: { type: "SIP" }, bob: null });
    expect(errors).toMatchObject([{ path: ["bob"], extensions: { code: "UPSTREAM_INVALID_RESPONSE" } }]);
    expect(proxy.requests.map(({ status }) => status)).toEqual([partialStatus]);
  });

  it("an operation that the gateway rejects with status 422 is returned with its code", async () => {
    const aliases = Array.from({ length: 65 }, (_, n) => `a${n}: sipEndpoint(username: "alice") { type }`);
    const { errors } = await execute(`{ ${aliases.join(" ")} }`);
    expect(errors?.[0]).toMatchObject({
      message: expect.stringContaining("has 65 aliases"),
      extensions: { code: "GRAPHQL_VALIDATION_FAILED", limit: "MAX_ALIASES", requestId: expect.any(String) },
    });
    expect(proxy.requests.map(({ status }) => status)).toEqual([422]);
  });

  it("the gateway receives the request id of the client, which is in its errors", async () => {
    const { errors } = await execute("{ sipEndpoints(first: -1) { totalCount } }", {
      "x-request-id": "order-66",
    });
    expect(proxy.requests.map(({ headers }) => headers["x-request-id"])).toEqual(["order-66"]);
    expect(errors?.map(({ extensions }) => extensions.requestId)).toEqual(["order-66"]);
  });

  it("the gateway receives the Authorization header of the client", async () => {
    await execute('{ sipEndpoint(username: "alice") { username } }', { authorization: "Bearer made-up" });
    expect(proxy.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer made-up"]);
  });
});

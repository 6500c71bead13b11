import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

function execute(query: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query }),
  });
}

describe("The health routes", () => {
  it.each([
    ["live", { status: "live" }],
    ["ready", { status: "ready", piopiy: "unknown", redis: "off" }],
  ])("return the status at /health/%s without an upstream request", async (route, body) => {
    await gateway.reset();
    const response = await fetch(`${gateway.origin}/health/${route}`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(body);
    expect(await gateway.upstreamRequests()).toEqual([]);
  });

  it("return 200 while PIOPIY is down", async () => {
    await gateway.addFault({ kind: "status", times: 3 });
    expect(await (await execute('{ sipEndpoint(username: "alice") { type } }')).json()).toHaveProperty(
      "errors",
    );
    expect((await fetch(`${gateway.origin}/health/ready`)).status).toBe(200);
    expect((await fetch(`${gateway.origin}/health/live`)).status).toBe(200);
  });
});

describe("A request id", () => {
  it("is generated for each request, and is in every response", async () => {
    const paths = ["/graphql", "/graphql", "/health/live", "/health/ready", "/nothing-here", "/%E0%A4%A"];
    const responses = await Promise.all(paths.map((path) => fetch(`${gateway.origin}${path}`)));
    const ids = responses.map(({ headers }) => headers.get("x-request-id"));
    for (const id of ids) expect(id).toMatch(UUID);
    expect(new Set(ids).size).toBe(paths.length);
  });

  it.each(["a", "Order-66_7.8", "x".repeat(64)])("is that of the client if it is valid: %s", async (id) => {
    expect((await execute("{ __typename }", { "x-request-id": id })).headers.get("x-request-id")).toBe(id);
  });

  it.each([
    "",
    "x".repeat(65),
    "two words",
    "a,b",
    '{"a":1}',
    "é",
    "<b>",
  ])("is generated if that of the client is not safe to log: %j", async (id) => {
    const response = await execute("{ __typename }", { "x-request-id": id });
    expect(response.headers.get("x-request-id")).toMatch(UUID);
  });

  it.each([
    ["a field that fails", '{ sipEndpoint(username: "") { type } }'],
    ["an unknown field", "{ nothing }"],
    ["a syntax error", "{"],
    ["no document", ""],
  ])("is in the errors too: %s", async (_, query) => {
    const response = await execute(query, { "x-request-id": "order-66" });
    const { errors } = (await response.json()) as { errors: { extensions: { requestId: string } }[] };
    expect(errors.map(({ extensions }) => extensions.requestId)).toEqual(["order-66"]);
    expect(response.headers.get("x-request-id")).toBe("order-66");
  });

  it("is in the log entry of the operation", async () => {
    await execute("query Named { __typename }", { "x-request-id": "order-67" });
    const lines = gateway.log
      .map((line) => JSON.parse(line))
      .filter(({ requestId }) => requestId === "order-67");
    expect(lines).toMatchObject([{ msg: "request completed", operation: "query", operationName: "Named" }]);
  });
});

describe("A gateway that stops", () => {
  it("responds to the requests that it has accepted", async () => {
    const stopping = await startGateway();
    await stopping.addFault({ kind: "latency", ms: 300 });
    const response = stopping.execute('{ sipEndpoint(username: "alice") { username } }');
    while ((await stopping.upstreamRequests()).length === 0);
    const closed = stopping.close();
    expect(await response).toMatchObject({ status: 200, data: { sipEndpoint: { username: "alice" } } });
    await closed;
    await expect(fetch(`${stopping.origin}/health/live`)).rejects.toThrow();
  });

  it("does not wait for idle connections of clients", async () => {
    const stopping = await startGateway();
    await Promise.all([1, 2, 3].map(() => stopping.execute("{ __typename }")));
    await stopping.close();
  });
});

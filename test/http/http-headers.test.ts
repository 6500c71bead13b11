import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const KEY = "made-up-key";
const json = { "content-type": "application/json" };
const post = (query: string, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { ...json, authorization: `Bearer ${KEY}`, ...headers },
  body: JSON.stringify({ query }),
});

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({
    gateway: {
      AUTH: "api-key",
      API_KEYS: `alpha:${createHash("sha256").update(KEY).digest("hex")}:sip:read`,
      RATE_LIMIT_PER_MINUTE: "1000",
      GRAPHIQL: "true",
    },
  });
});
afterAll(() => gateway.close());

const security = {
  "strict-transport-security": null,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
};
const dataPolicy = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";

/** Returns the headers of a response with these names; null for a missing one. */
function pick({ headers }: Response, names: readonly string[]): Record<string, string | null> {
  return Object.fromEntries(names.map((name) => [name, headers.get(name)]));
}

const costly = Array.from({ length: 10 }, (_, n) => `a${n}: sipEndpoints(first: 100) { nodes { username } }`);
const graphqlResponses: [string, number, RequestInit][] = [
  ["a success", 200, post('{ sipEndpoint(username: "alice") { username } }')],
  ["errors", 422, post("{ nothing }")],
  ["invalid JSON", 400, { ...post(""), body: "{" }],
  ["no credential", 401, { ...post("{ __typename }"), headers: json }],
  ["an invalid credential", 401, post("{ __typename }", { authorization: "Bearer wrong" })],
  ["a body that is too large", 413, post(" ".repeat(200_000))],
  ["an unknown content type", 415, post("{ __typename }", { "content-type": "x/y" })],
  ["an operation beyond the rate limit", 422, post(`{ ${costly.join(" ")} }`)],
];

describe("The headers of a response", () => {
  it.each(
    graphqlResponses,
  )("of GraphQL prevent browsers from storing and displaying it: %s", async (_, status, init) => {
    const response = await fetch(`${gateway.origin}/graphql`, init);
    expect(response.status).toBe(status);
    expect(pick(response, Object.keys(security))).toEqual(security);
    expect(response.headers.get("content-security-policy")).toBe(dataPolicy);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  it.each([
    ["GET", "/health/live", 200],
    ["GET", "/health/ready", 200],
    ["GET", "/", 200],
    ["GET", "/nothing-here", 404],
    ["POST", "/nothing-here", 404],
    ["PUT", "/graphql", 405],
  ])("prevent browsers from displaying it: %s %s", async (method, path, status) => {
    const response = await fetch(`${gateway.origin}${path}`, { method });
    expect(response.status).toBe(status);
    expect(pick(response, Object.keys(security))).toEqual(security);
    expect(response.headers.get("content-security-policy")).toBe(dataPolicy);
  });

  it("do not reveal the server software", async () => {
    const { headers } = await fetch(`${gateway.origin}/graphql`, post("{ __typename }"));
    expect([headers.get("server"), headers.get("x-powered-by")]).toEqual([null, null]);
  });
});

describe("The content security policy of the GraphiQL page", () => {
  let response: Response;
  let page: string;
  let directives: Map<string, string[]>;
  beforeAll(async () => {
    response = await fetch(`${gateway.origin}/graphiql`);
    page = await response.text();
    const parts = (response.headers.get("content-security-policy") ?? "").split(";");
    directives = new Map(
      parts.map((part) => part.split(" ")).map(([name = "", ...sources]) => [name, sources] as const),
    );
  });

  it("allows the inline scripts of the page, and no other scripts", () => {
    const scripts = [...page.matchAll(/<script\b([^>]*)>([^<]*(?:<(?!\/script>)[^<]*)*)<\/script>/g)];
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.map(([, attributes]) => attributes)).toEqual(scripts.map(() => ""));
    expect(page.split("</script>")).toHaveLength(scripts.length + 1);
    const hashes = scripts.map(
      ([, , script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
    );
    expect(directives.get("script-src")).toEqual(hashes);
  });

  it("allows no other origin, and no evaluation of strings", () => {
    const sources = [...directives.values()].flat();
    const known = /^('none'|'self'|'unsafe-inline'|'sha256-[\w+/]+=*'|data:|blob:)$/;
    expect(sources.filter((source) => !known.test(source))).toEqual([]);
    const inline = [...directives].filter(([, allowed]) => allowed.includes("'unsafe-inline'"));
    expect(inline.map(([name]) => name)).toEqual(["style-src"]);
    expect(directives.get("default-src")).toEqual(["'none'"]);
    expect(directives.get("connect-src")).toEqual(["'self'"]);
  });

  it("prevents other pages from framing it, and comes with the security headers of all responses", () => {
    for (const name of ["frame-ancestors", "base-uri", "form-action"]) {
      expect([name, directives.get(name)]).toEqual([name, ["'none'"]]);
    }
    expect(pick(response, Object.keys(security))).toEqual(security);
  });
});

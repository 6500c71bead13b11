import { describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { post, send, type TextResponse, withGateway } from "./production.js";

const known = bearer("reader");

describe("Security headers", () => {
  const small = {
    ...apiKeys({ reader: "sip:read" }),
    RATE_LIMIT_PER_MINUTE: "2",
    MAX_BODY_BYTES: "100",
    HSTS: "true",
  };
  const policy = "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'";
  const body = { query: "{ __typename }" };

  it.each<[number, string, string, RequestInit]>([
    [200, "a response", "/graphql", post(body, known)],
    [200, "a health route", "/health/live", {}],
    [422, "a request without a query", "/graphql", post({}, known)],
    [404, "a URL that cannot be decoded", "/%E0%A4%A", {}],
    [401, "a missing credential", "/graphql", post(body)],
    [404, "an unknown path", "/nothing", {}],
    [413, "a large body", "/graphql", post({ query: " ".repeat(100) }, known)],
    [
      422,
      "an operation beyond the rate limit",
      "/graphql",
      post({ query: "{ a: __typename b: __typename c: __typename }" }, known),
    ],
  ])("are in every response: %i for %s", async (status, _, path, init) => {
    await withGateway(small, async (gateway) => {
      expectHeaders(await send(`${gateway.origin}${path}`, init), status, path);
    });
  });

  it("are in the response to a client that has used up its rate limit", async () => {
    await withGateway(small, async (gateway) => {
      for (const status of [200, 200, 429]) {
        expectHeaders(await send(`${gateway.origin}/graphql`, post(body, known)), status, "/graphql");
      }
    });
  });

  function expectHeaders(response: TextResponse, status: number, path: string): void {
    expect(response.status).toBe(status);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-security-policy": policy,
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      ...(path === "/graphql" && { "cache-control": "no-store" }),
    });
    expect(response.headers.get("x-powered-by") ?? response.headers.get("server")).toBeNull();
  }
});

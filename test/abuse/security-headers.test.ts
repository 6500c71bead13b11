import { describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { post, send, withGateway } from "./production.js";

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
    [200, "an answer", "/graphql", post(body, known)],
    [200, "the health of the gateway", "/health/live", {}],
    [400, "a request for nothing", "/graphql", post({}, known)],
    [404, "an address that cannot be read", "/%E0%A4%A", {}],
    [401, "a stranger", "/graphql", post(body)],
    [404, "an unknown address", "/nothing", {}],
    [413, "a large body", "/graphql", post({ query: " ".repeat(100) }, known)],
    [
      429,
      "a spent budget",
      "/graphql",
      post({ query: "{ a: __typename b: __typename c: __typename }" }, known),
    ],
  ])("are on every answer: %i for %s", async (status, _, path, init) => {
    await withGateway(small, async (gateway) => {
      const answer = await send(`${gateway.origin}${path}`, init);
      expect(answer.status).toBe(status);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "strict-transport-security": "max-age=31536000",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        ...(path === "/graphql" && { "cache-control": "no-store" }),
      });
      expect(answer.headers.get("x-powered-by") ?? answer.headers.get("server")).toBeNull();
    });
  });
});

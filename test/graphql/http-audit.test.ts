import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { serverAudits } from "graphql-http";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

describe("The GraphQL over HTTP audit of graphql-http", () => {
  // A GET without this header is rejected, since a page of another site could send it.
  const fetchFn = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, "apollo-require-preflight": "1" } });
  const audits = serverAudits({ url: () => `${gateway.origin}/graphql`, fetchFn });

  it("has 61 audits", () => {
    expect(audits).toHaveLength(61);
  });

  it.each(
    audits.map((audit) => [audit.id, audit.name, audit] as const),
  )("%s: %s", async (_id, _name, audit) => {
    const result = await audit.fn();
    expect("reason" in result ? `${result.status}: ${result.reason}` : result.status).toBe("ok");
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { serverAudits } from "graphql-http";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

/** Clauses of the September 2026 edition, sections "Status Codes" and "Body", and the status of the gateway. */
const malformed = ["a request that is not well-formed: 422 SHOULD be used", 422] as const;
const notParsed = [
  "a document that cannot be parsed: 400 SHOULD be used, also for legacy clients",
  400,
] as const;
const notCoerced = [
  "variables that cannot be coerced: 422 SHOULD be used, also for legacy clients",
  422,
] as const;

/** The audits that the edition supersedes: they are older, and want another status. */
const superseded: Readonly<Record<string, readonly [clause: string, status: number]>> = {
  "423L": malformed,
  LKJ0: malformed,
  LKJ1: malformed,
  LKJ2: malformed,
  LKJ3: malformed,
  "6C00": malformed,
  "6C01": malformed,
  "6C02": malformed,
  "6C03": malformed,
  "4760": malformed,
  "4761": malformed,
  "4762": malformed,
  "4763": malformed,
  "58B0": malformed,
  "58B1": malformed,
  "58B2": malformed,
  "58B3": malformed,
  "3E3A": malformed,
  "572B": notParsed,
  // Its document does not parse, although the name of the audit says that it does not validate.
  FDE2: notParsed,
  "7B9B": notCoerced,
  "86EE": notCoerced,
};

describe("The GraphQL over HTTP audit of graphql-http", () => {
  // A GET without this header is rejected, since a page of another site could send it.
  const fetchFn = (url: string, init: RequestInit = {}) =>
    fetch(url, { ...init, headers: { ...init.headers, "graphql-require-preflight": "1" } });
  const audits = serverAudits({ url: () => `${gateway.origin}/graphql`, fetchFn }).map(
    (audit) => [audit.id, audit.name, audit] as const,
  );

  it("has 61 audits, and the edition supersedes 22 of them", () => {
    expect(audits).toHaveLength(61);
    const ids = new Set(audits.map(([id]) => id));
    expect(Object.keys(superseded).filter((id) => ids.has(id))).toHaveLength(22);
  });

  it.each(audits.filter(([id]) => !superseded[id]))("%s: %s", async (_id, _name, audit) => {
    const result = await audit.fn();
    expect("reason" in result ? `${result.status}: ${result.reason}` : result.status).toBe("ok");
  });

  it.each(
    audits.flatMap(([id, name, audit]) => {
      const [clause, status] = superseded[id] ?? [];
      return status ? [[id, clause, name, status, audit] as const] : [];
    }),
  )("%s is superseded by the clause on %s (%s)", async (_id, _clause, _name, status, audit) => {
    const result = await audit.fn();
    expect(result).toMatchObject({ reason: expect.stringMatching(/^Response status code is not [24]00$/) });
    expect("response" in result && result.response.status).toBe(status);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

type Results = Record<string, { username: string; video: boolean } | null>;

const fifty = Array.from({ length: 50 }, (_, index) => `user${String(index + 1).padStart(4, "0")}`);

/** Returns an operation that reads each of these names under its own alias: e0, e1 and so on. */
function readAll(usernames: readonly string[]): string {
  const fields = usernames.map(
    (username, index) => `e${index}: sipEndpoint(username: ${JSON.stringify(username)}) { username video }`,
  );
  return `{ ${fields.join(" ")} }`;
}

describe("An operation that reads many endpoints", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway({ gateway: { PIOPIY_MAX_CONCURRENCY: "8" } });
  });
  afterAll(() => gateway.close());
  beforeEach(() => gateway.reset({ count: 50 }));

  it("sends one upstream request for a name that it reads five times", async () => {
    const { data, errors } = await gateway.execute<Results>(readAll(Array(5).fill("user0001")));
    expect(errors).toBeUndefined();
    expect(Object.values(data)).toEqual(Array(5).fill({ username: "user0001", video: true }));
    expect(await gateway.upstreamRequests()).toMatchObject([{ operation: "get_sip", username: "user0001" }]);
  });

  it("sends one upstream request for an unknown name that it reads three times", async () => {
    const { data, errors } = await gateway.execute<Results>(readAll(["nobody", "nobody", "nobody"]));
    expect(errors).toBeUndefined();
    expect(data).toEqual({ e0: null, e1: null, e2: null });
    expect(await gateway.upstreamRequests()).toHaveLength(1);
  });

  it("sends another upstream request in the next operation", async () => {
    await gateway.execute<Results>(readAll(["user0001"]));
    await gateway.reset({ endpoints: [{ username: "user0001", video: false }] });
    const { data } = await gateway.execute<Results>(readAll(["user0001"]));
    expect(data.e0?.video).toBe(false);
  });

  it("reads 50 names with 50 parallel upstream requests, within the concurrency limit", async () => {
    await gateway.addFault({ operation: "get_sip", kind: "latency", ms: 2000, times: 8 });
    const { data, errors } = await gateway.execute<Results>(readAll(fifty));
    expect(errors).toBeUndefined();
    expect(Object.values(data).map((endpoint) => endpoint?.username)).toEqual(fifty);
    const requests = await gateway.upstreamRequests();
    expect(requests.map(({ username }) => username).sort()).toEqual(fifty);
    expect(Math.max(...requests.map(({ concurrent }) => concurrent))).toBe(8);
  });

  it("stays within the concurrency limit together with other operations", async () => {
    await gateway.addFault({ operation: "get_sip", kind: "latency", ms: 2000, times: 8 });
    const parts = [fifty.slice(0, 20), fifty.slice(20, 40), fifty.slice(40)];
    const responses = await Promise.all(parts.map((part) => gateway.execute<Results>(readAll(part))));
    expect(responses.map(({ errors }) => errors)).toEqual([undefined, undefined, undefined]);
    const requests = await gateway.upstreamRequests();
    expect(requests).toHaveLength(50);
    expect(Math.max(...requests.map(({ concurrent }) => concurrent))).toBe(8);
  });

  it.each([
    [{ kind: "status", status: 503 }, "UPSTREAM_UNAVAILABLE", true],
    [{ kind: "status", status: 404 }, "UPSTREAM_REJECTED", false],
    [{ kind: "garbage" }, "UPSTREAM_INVALID_RESPONSE", true],
    [{ kind: "reset" }, "UPSTREAM_UNAVAILABLE", true],
  ])("fails for one name only when PIOPIY responds to it with %j", async (fault, code, retryable) => {
    await gateway.addFault({ operation: "get_sip", username: "user0008", times: 100, ...fault });
    const { status, data, errors } = await gateway.execute<Results>(readAll(fifty));
    expect(status).toBe(200);
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toMatchObject({ path: ["e7"], extensions: { code, retryable } });
    expect(data.e7).toBeNull();
    expect(Object.values(data).filter((endpoint) => endpoint !== null)).toHaveLength(49);
    const others = (await gateway.upstreamRequests()).filter(({ username }) => username !== "user0008");
    expect(others).toHaveLength(49);
  });

  it("reports the same error at each field that reads the failing name", async () => {
    await gateway.addFault({ username: "user0002", kind: "status", status: 403, times: 100 });
    const { data, errors } = await gateway.execute<Results>(readAll(["user0001", "user0002", "user0002"]));
    expect(data).toEqual({ e0: { username: "user0001", video: true }, e1: null, e2: null });
    expect(errors?.map(({ path }) => path)).toEqual([["e1"], ["e2"]]);
    expect(await gateway.upstreamRequests()).toHaveLength(2);
  });
});

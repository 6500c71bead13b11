import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

const FIELDS = "fragment Known on SipEndpoint { password video }";

describe("Several mutations in one operation", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());
  beforeEach(() =>
    gateway.reset({ endpoints: [{ username: "alice", password: "made-up-1", video: false }] }),
  );

  async function operations(): Promise<string[]> {
    return (await gateway.upstreamRequests()).map(({ operation }) => operation);
  }

  it("are executed in order, and each sees the effect of the previous ones", async () => {
    const { data, errors } = await gateway.execute(
      `mutation {
        a: updateSipEndpoint(input: { username: "alice", password: "made-up-2" }) { sipEndpoint { ...Known } }
        b: removeSipEndpoint(input: { username: "alice" }) { username }
        c: updateSipEndpoint(input: { username: "alice", password: "made-up-9" }) { sipEndpoint { ...Known } userErrors { code } }
        d: removeSipEndpoint(input: { username: "alice" }) { username userErrors { code } }
        e: createSipEndpoint(input: { username: "alice", password: "made-up-3" }) { sipEndpoint { ...Known } }
        f: createSipEndpoint(input: { username: "alice" }) { sipEndpoint { ...Known } userErrors { code } }
        g: updateSipEndpoint(input: { username: "alice", password: "made-up-4" }) { sipEndpoint { ...Known } }
      } ${FIELDS}`,
    );
    expect(errors).toBeUndefined();
    const notFound = [{ code: "SIP_ENDPOINT_NOT_FOUND" }];
    expect(data).toEqual({
      a: { sipEndpoint: { password: "made-up-2", video: false } },
      b: { username: "alice" },
      c: { sipEndpoint: null, userErrors: notFound },
      d: { username: null, userErrors: notFound },
      e: { sipEndpoint: { password: "made-up-3", video: true } },
      f: { sipEndpoint: null, userErrors: [{ code: "USERNAME_TAKEN" }] },
      g: { sipEndpoint: { password: "made-up-4", video: true } },
    });
    expect(await operations()).toEqual([
      "update_sip",
      "get_sip",
      "remove_sip",
      "update_sip",
      "remove_sip",
      "add_sip",
      "add_sip",
      "update_sip",
      "get_sip",
    ]);
  });

  it("create, remove and create again", async () => {
    const { data, errors } = await gateway.execute<Record<string, { userErrors: { code: string }[] }>>(
      `mutation {
        a: createSipEndpoint(input: { username: "erin" }) { userErrors { code } }
        b: removeSipEndpoint(input: { username: "erin" }) { userErrors { code } }
        c: createSipEndpoint(input: { username: "erin" }) { userErrors { code } }
      }`,
    );
    expect(errors).toBeUndefined();
    expect(Object.values(data).flatMap(({ userErrors }) => userErrors)).toEqual([]);
    expect(await operations()).toEqual(["add_sip", "remove_sip", "add_sip"]);
  });

  it("set two passwords of one endpoint, and the last one remains", async () => {
    const { data } = await gateway.execute(
      `mutation {
        a: updateSipEndpoint(input: { username: "alice", password: "made-up-2" }) { sipEndpoint { ...Known } password }
        b: updateSipEndpoint(input: { username: "alice", password: "made-up-3" }) { sipEndpoint { ...Known } password }
      } ${FIELDS}`,
    );
    expect(data).toEqual({
      a: { sipEndpoint: { password: "made-up-2", video: false }, password: "made-up-2" },
      b: { sipEndpoint: { password: "made-up-3", video: false }, password: "made-up-3" },
    });
    const read = await gateway.execute('{ sipEndpoint(username: "alice") { password } }');
    expect(read.data).toEqual({ sipEndpoint: { password: "made-up-3" } });
  });

  it("continue after one with an invalid input", async () => {
    const { data, errors } = await gateway.execute(
      `mutation {
        a: createSipEndpoint(input: { username: "not a name" }) { userErrors { code } }
        b: removeSipEndpoint(input: { username: "alice" }) { username }
      }`,
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({ a: { userErrors: [{ code: "INVALID_USERNAME" }] }, b: { username: "alice" } });
    expect(await operations()).toEqual(["remove_sip"]);
  });
});

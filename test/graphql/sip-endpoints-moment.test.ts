import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { numbered, readList, usernamesOf } from "./list-query.js";
import { OrderedUpstream } from "./ordered-upstream.js";

describe("A slice of Query.sipEndpoints over several of PIOPIY's pages", () => {
  let upstream: OrderedUpstream;
  let gateway: TestGateway;
  beforeAll(async () => {
    upstream = await OrderedUpstream.start();
    gateway = await startGateway({ gateway: { PIOPIY_URL: upstream.url } });
  });
  afterAll(async () => {
    await gateway.close();
    await upstream.close();
  });

  it.each([1, 2, 3])("is read again when the list changes after %i upstream requests", async (requests) => {
    upstream.reset("newest first", numbered(25));
    upstream.changeAfter(requests, () => upstream.create("first"));
    const list = await readList(gateway, { first: 25 });
    expect(usernamesOf(list)).toEqual(["first", ...numbered(24)]);
    expect(list.totalCount).toBe(26);
    expect(list.pageInfo.hasNextPage).toBe(true);
    expect(upstream.requests.length).toBeLessThanOrEqual(9);
  });

  it("is searched again when the list changes and the rows before the cursor move", async () => {
    upstream.reset("oldest first", numbered(30));
    const { pageInfo } = await readList(gateway, { first: 10 });
    upstream.changeAfter(1, () => {
      for (const name of numbered(4)) upstream.remove(name);
    });
    const list = await readList(gateway, { after: pageInfo.endCursor, first: 20 });
    expect(usernamesOf(list)).toEqual(numbered(30, 10));
    expect(list.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });
});

import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { startGateway, type TestGateway } from "../support/gateway.js";
import { askedPages, type List, type ListArguments, numbered, readList, usernamesOf } from "./list-query.js";

describe("A part of Query.sipEndpoints that spans several of PIOPIY's pages", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway.close());

  /** Asks for a part of the list, and puts the list into another state when all its pages but one are read. */
  async function readDuring(args: ListArguments, pages: number, endpoints: readonly string[]): Promise<List> {
    await gateway.fail({ operation: "list_sip", kind: "hang" });
    const list = readList(gateway, args);
    while ((await gateway.calls()).filter(({ status }) => status === 200).length < pages - 1);
    // A reset ends the call that hangs, and the gateway asks for that page again.
    await gateway.reset({ endpoints: endpoints.map((username) => ({ username })) });
    return list;
  }

  it("is read anew when the list changes meanwhile", async () => {
    await gateway.reset({ count: 25 });
    const changed = ["first", ...numbered(25)];
    const list = await readDuring({ first: 25 }, 3, changed);
    expect(usernamesOf(list)).toEqual(changed.slice(0, 25));
    expect(list.totalCount).toBe(26);
    expect((await askedPages(gateway)).length).toBe(4);
  });

  it("is looked for anew when the list changes meanwhile and the walk's rows move", async () => {
    await gateway.reset({ count: 30 });
    const { pageInfo } = await readList(gateway, { first: 10 });
    await gateway.reset({ count: 30 });
    const list = await readDuring({ after: pageInfo.endCursor, first: 20 }, 3, numbered(30, 4));
    expect(usernamesOf(list)).toEqual(numbered(30, 10));
    expect(list.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
  });
});

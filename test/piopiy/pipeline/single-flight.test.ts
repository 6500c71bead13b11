import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { abandon, held } from "../../support/gateway/abandoned-operations.js";
import { type BrokenGateway, operations, startBrokenGateway } from "../../support/gateway/broken-gateway.js";
import { outcomeOf } from "../../support/gateway/lost-writes.js";
import { until } from "../../support/until.js";
import { alice } from "../../support/upstream/broken-upstream.js";

const page = { code: "cmi-200", list: { count: 1, rows: [{ username: "alice", password: "made-up-1" }] } };

describe.each([
  ["with a cache", "10000"],
  ["without a cache", "0"],
])("Clients that send the same query at the same time, %s,", (_, ttl) => {
  let broken: BrokenGateway;
  beforeEach(async () => {
    // On a busy machine 200 queries arrive later than an upstream request with the default timeout would end.
    broken = await startBrokenGateway({
      CACHE_TTL_MS: ttl,
      PIOPIY_TIMEOUT_MS: "60000",
      PIOPIY_DEADLINE_MS: "60000",
    });
  });
  afterEach(() => broken.close());

  const requests = () => broken.upstream.requests.map(({ operation }) => operation);
  const executeTimes = (times: number, query: string) =>
    Array.from({ length: times }, () => broken.gateway.execute(query));

  /** Waits until operations of this total cost have begun. */
  async function begun(cost: number): Promise<void> {
    let looks = 0;
    await until(async () => {
      const { headers } = await broken.gateway.execute("{ __typename }");
      looks += 1;
      return 60_000 - Number(headers.get("ratelimit-remaining")) - looks >= cost;
    });
  }

  it.each([
    ["get_sip", 8, alice],
    ["list_sip", 22, page],
  ] as const)("share one upstream request of %s for 200 queries", async (operation, cost, body) => {
    const hold = held();
    broken.upstream.respond(hold.responder);
    const sent = executeTimes(200, operations[operation]);
    await begun(200 * cost);
    hold.release({ body });
    const responses = await Promise.all(sent);
    expect(new Set(responses.map((response) => JSON.stringify(response.data))).size).toBe(1);
    expect(responses.map(outcomeOf)).toEqual(Array(200).fill("done"));
    expect(requests()).toEqual([operation]);
  });

  it("share its failure, while a later query is sent again", async () => {
    const refusal = { body: { code: "cmi-403", msg: "no" } };
    const hold = held();
    broken.upstream.respond(hold.responder, { body: alice });
    const early = executeTimes(3, operations.get_sip);
    await until(() => requests().length === 1);
    await broken.gateway.execute("{ __typename }");
    hold.release(refusal);
    expect((await Promise.all(early)).map(outcomeOf)).toEqual(Array(3).fill("UPSTREAM_REJECTED"));
    const [late] = await Promise.all(executeTimes(1, operations.get_sip));
    expect(late && outcomeOf(late)).toBe("done");
    expect(requests()).toEqual(["get_sip", "get_sip"]);
  });

  it("do not abort it when one of them disconnects", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder);
    await abandon(broken.gateway, operations.get_sip, () => requests().length === 1);
    expect(broken.upstream.connections.open).toBe(0);
    const staying = executeTimes(1, operations.get_sip);
    await until(() => requests().length === 2);
    await abandon(broken.gateway, operations.get_sip, () => true);
    expect(broken.upstream.connections.open).toBe(1);
    hold.release({ body: alice });
    expect((await Promise.all(staying)).map(outcomeOf)).toEqual(["done"]);
    expect(requests()).toEqual(["get_sip", "get_sip"]);
  });

  it("abort it when the last of them has disconnected", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder);
    const leaving = ["first", "second"].map(() =>
      abandon(broken.gateway, operations.get_sip, () => requests().length === 1),
    );
    await Promise.all(leaving);
    await until(() => broken.upstream.connections.open === 0);
    expect(requests()).toEqual(["get_sip"]);
  });

  it("wait until their own deadline, however early the deadline of another one is", async () => {
    await broken.close();
    broken = await startBrokenGateway({
      CACHE_TTL_MS: ttl,
      PIOPIY_TIMEOUT_MS: "60000",
      PIOPIY_DEADLINE_MS: "6000",
    });
    const hold = held();
    broken.upstream.respond(hold.responder);
    const first = broken.gateway.execute(operations.get_sip);
    await until(() => requests().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const second = broken.gateway.execute(operations.get_sip);
    expect(outcomeOf(await first)).toBe("UPSTREAM_TIMEOUT");
    hold.release({ body: alice });
    expect(outcomeOf(await second)).toBe("done");
    expect(requests()).toEqual(["get_sip"]);
  });

  it("do not share a request that began before the end of a change of the endpoint", async () => {
    const hold = held();
    broken.upstream.respond(
      hold.responder,
      { body: { ...alice, code: 200 } },
      { body: { ...alice, video: true } },
    );
    const before = broken.gateway.execute('{ sipEndpoint(username: "alice") { video } }');
    await until(() => requests().length === 1);
    await broken.gateway.execute(operations.update_sip);
    const after = await broken.gateway.execute('{ sipEndpoint(username: "alice") { video } }');
    expect(after.data).toEqual({ sipEndpoint: { video: true } });
    hold.release({ body: alice });
    expect((await before).data).toEqual({ sipEndpoint: { video: false } });
    // The late response is not cached either.
    const later = await broken.gateway.execute('{ sipEndpoint(username: "alice") { video } }');
    expect(later.data).toEqual({ sipEndpoint: { video: true } });
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { hangUp, held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, operations, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { outcomeOf } from "../support/gateway/lost-writes.js";
import { until } from "../support/until.js";
import { alice } from "../support/upstream/broken-upstream.js";

const page = { code: "cmi-200", list: { count: 1, rows: [{ username: "alice", password: "made-up-1" }] } };

describe.each([
  ["with a cache", "10000"],
  ["without a cache", "0"],
])("Callers who ask the same at the same time, %s,", (_, ttl) => {
  let broken: BrokenGateway;
  beforeEach(async () => {
    broken = await startBrokenGateway({ CACHE_TTL_MS: ttl });
  });
  afterEach(() => broken.close());

  const calls = () => broken.upstream.calls.map(({ operation }) => operation);
  const askTimes = (times: number, query: string) =>
    Array.from({ length: times }, () => broken.gateway.ask(query));

  /** Waits until operations that cost so much together have begun. */
  async function begun(cost: number): Promise<void> {
    let looks = 0;
    await until(async () => {
      const { headers } = await broken.gateway.ask("{ __typename }");
      looks += 1;
      return 60_000 - Number(headers.get("ratelimit-remaining")) - looks >= cost;
    });
  }

  it.each([
    ["get_sip", 3, alice],
    ["list_sip", 12, page],
  ] as const)("share one call of %s: 200 queries cost one", async (operation, cost, body) => {
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    const asking = askTimes(200, operations[operation]);
    await begun(200 * cost);
    hold.release({ body });
    const answers = await Promise.all(asking);
    expect(new Set(answers.map((answer) => JSON.stringify(answer.data))).size).toBe(1);
    expect(answers.map(outcomeOf)).toEqual(Array(200).fill("done"));
    expect(calls()).toEqual([operation]);
  });

  it("share its failure, and whoever comes later does not", async () => {
    const refusal = { body: { code: "cmi-403", msg: "no" } };
    const hold = held();
    broken.upstream.answer(hold.behaviour, { body: alice });
    const early = askTimes(3, operations.get_sip);
    await until(() => calls().length === 1);
    await broken.gateway.ask("{ __typename }");
    hold.release(refusal);
    expect((await Promise.all(early)).map(outcomeOf)).toEqual(Array(3).fill("UPSTREAM_REJECTED"));
    const [late] = await Promise.all(askTimes(1, operations.get_sip));
    expect(late && outcomeOf(late)).toBe("done");
    expect(calls()).toEqual(["get_sip", "get_sip"]);
  });

  it("keep it going when one of them leaves", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    await hangUp(broken.gateway, operations.get_sip, () => calls().length === 1);
    expect(broken.upstream.connections.open).toBe(0);
    const staying = askTimes(1, operations.get_sip);
    await until(() => calls().length === 2);
    await hangUp(broken.gateway, operations.get_sip, () => true);
    expect(broken.upstream.connections.open).toBe(1);
    hold.release({ body: alice });
    expect((await Promise.all(staying)).map(outcomeOf)).toEqual(["done"]);
    expect(calls()).toEqual(["get_sip", "get_sip"]);
  });

  it("end it when the last of them has left", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    const leaving = ["first", "second"].map(() =>
      hangUp(broken.gateway, operations.get_sip, () => calls().length === 1),
    );
    await Promise.all(leaving);
    await until(() => broken.upstream.connections.open === 0);
    expect(calls()).toEqual(["get_sip"]);
  });

  it("wait as long as their own time lasts, and longer ones are not cut short by shorter ones", async () => {
    await broken.close();
    broken = await startBrokenGateway({ CACHE_TTL_MS: ttl, PIOPIY_DEADLINE_MS: "1000" });
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    const first = broken.gateway.ask(operations.get_sip);
    await until(() => calls().length === 1);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const second = broken.gateway.ask(operations.get_sip);
    expect(outcomeOf(await first)).toBe("UPSTREAM_TIMEOUT");
    hold.release({ body: alice });
    expect(outcomeOf(await second)).toBe("done");
    expect(calls()).toEqual(["get_sip"]);
  });

  it("do not share with those who asked before a change of the endpoint ended", async () => {
    const hold = held();
    broken.upstream.answer(
      hold.behaviour,
      { body: { ...alice, code: 200 } },
      { body: { ...alice, video: true } },
    );
    const before = broken.gateway.ask('{ sipEndpoint(username: "alice") { video } }');
    await until(() => calls().length === 1);
    await broken.gateway.ask(operations.update_sip);
    const after = await broken.gateway.ask('{ sipEndpoint(username: "alice") { video } }');
    expect(after.data).toEqual({ sipEndpoint: { video: true } });
    hold.release({ body: alice });
    expect((await before).data).toEqual({ sipEndpoint: { video: false } });
    // What came in late is not kept either.
    const later = await broken.gateway.ask('{ sipEndpoint(username: "alice") { video } }');
    expect(later.data).toEqual({ sipEndpoint: { video: true } });
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway, writes } from "../support/gateway/broken-gateway.js";
import { auditOf, mutations, outcomeOf, refusal } from "../support/gateway/lost-writes.js";
import { until } from "../support/until.js";
import { send } from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_DEADLINE_MS: "5000" });
});
afterEach(() => broken.close());

const calls = () =>
  broken.upstream.calls.map(({ operation, body }) => [operation, JSON.parse(body).username]);
const forBob = (query: string) => query.replace("alice", "bob");

describe.each(writes)("A write that comes while %s of the same name is under way", (operation) => {
  it.each(writes)("waits for its end: %s", async (second) => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const first = broken.gateway.ask(mutations[operation]);
    await until(() => calls().length === 1);
    const next = broken.gateway.ask(mutations[second]);
    // Others are served meanwhile: what waits waits for its name, not for a place.
    expect(outcomeOf(await broken.gateway.ask(forBob(mutations[second])))).toBe("done");
    await broken.gateway.ask('{ sipEndpoint(username: "alice") { type } }');
    const before = [
      [operation, "alice"],
      [second, "bob"],
      ["get_sip", "alice"],
    ];
    expect(calls()).toEqual(before);
    hold.release();
    expect((await Promise.all([first, next])).map(outcomeOf)).toEqual(["done", "done"]);
    expect(calls()).toEqual([...before, [second, "alice"]]);
  });
});

describe("Writes for two names", () => {
  it("run side by side", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    const both = [mutations.update_sip, forBob(mutations.remove_sip)].map((query) =>
      broken.gateway.ask(query),
    );
    await until(() => calls().length === 2);
    hold.release();
    expect((await Promise.all(both)).map(outcomeOf)).toEqual(["done", "done"]);
  });

  it("run one after the other where only one call may be in flight", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1" });
    let most = 0;
    let inFlight = 0;
    broken.upstream.answer((response) => {
      most = Math.max(most, ++inFlight);
      setImmediate(() => {
        inFlight--;
        send(response, {});
      });
    });
    const both = [mutations.update_sip, forBob(mutations.remove_sip)].map((query) =>
      broken.gateway.ask(query),
    );
    expect((await Promise.all(both)).map(outcomeOf)).toEqual(["done", "done"]);
    expect(most).toBe(1);
  });
});

describe("Many writes for one name", () => {
  it("are sent one at a time, in the order in which they came", async () => {
    let most = 0;
    let inFlight = 0;
    broken.upstream.answer((response) => {
      most = Math.max(most, ++inFlight);
      setImmediate(() => {
        inFlight--;
        send(response, {});
      });
    });
    const queries = Array.from({ length: 30 }, (_, index) =>
      mutations.update_sip.replace("made-up-1", `p-${index}`),
    );
    const answers = await Promise.all(queries.map((query) => broken.gateway.ask(query)));
    expect(new Set(answers.map(outcomeOf))).toEqual(new Set(["done"]));
    expect(most).toBe(1);
    expect(calls()).toHaveLength(30);
  });

  it("wait until the one whose answer was lost is settled", async () => {
    const look = held();
    broken.upstream.answer((response) => response.destroy(), look.behaviour, refusal);
    const lost = broken.gateway.ask(mutations.update_sip);
    await until(() => calls().length === 2);
    const next = broken.gateway.ask(mutations.remove_sip);
    expect(outcomeOf(await broken.gateway.ask(forBob(mutations.remove_sip)))).toBe("SIP_ENDPOINT_NOT_FOUND");
    expect(calls().map(([operation]) => operation)).toEqual(["update_sip", "get_sip", "remove_sip"]);
    look.release();
    expect((await Promise.all([lost, next])).map(outcomeOf)).toEqual(["done", "SIP_ENDPOINT_NOT_FOUND"]);
    expect(auditOf(broken.gateway).map(({ outcome }) => outcome)).toEqual([
      "SIP_ENDPOINT_NOT_FOUND",
      "done",
      "SIP_ENDPOINT_NOT_FOUND",
    ]);
  });

  it("go on after one that failed", async () => {
    broken.upstream.answer({ status: 420, body: { code: 420 } }, {});
    const answers = await Promise.all(
      [mutations.update_sip, mutations.update_sip].map((query) => broken.gateway.ask(query)),
    );
    expect(answers.map(outcomeOf).sort()).toEqual(["UPSTREAM_UNAUTHENTICATED", "done"]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { held } from "../../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway, writes } from "../../support/gateway/broken-gateway.js";
import { auditOf, mutations, outcomeOf, refusal } from "../../support/gateway/lost-writes.js";
import { until } from "../../support/until.js";
import { send } from "../../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "60000", PIOPIY_DEADLINE_MS: "60000" });
});
afterEach(() => broken.close());

const requests = () =>
  broken.upstream.requests.map(({ operation, body }) => [operation, JSON.parse(body).username]);
const forBob = (query: string) => query.replace("alice", "bob");

describe.each(writes)("A write for the username of a %s in progress", (operation) => {
  it.each(writes)("waits until that has ended: %s", async (second) => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const first = broken.gateway.execute(mutations[operation]);
    await until(() => requests().length === 1);
    const next = broken.gateway.execute(mutations[second]);
    // Other requests are sent meanwhile: the write waits for the lock, not for a slot.
    expect(outcomeOf(await broken.gateway.execute(forBob(mutations[second])))).toBe("done");
    await broken.gateway.execute('{ sipEndpoint(username: "alice") { type } }');
    const before = [
      [operation, "alice"],
      [second, "bob"],
      ["get_sip", "alice"],
    ];
    expect(requests()).toEqual(before);
    hold.release();
    expect((await Promise.all([first, next])).map(outcomeOf)).toEqual(["done", "done"]);
    expect(requests()).toEqual([...before, [second, "alice"]]);
  });
});

describe("Writes for two usernames", () => {
  it("are sent in parallel", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder);
    const both = [mutations.update_sip, forBob(mutations.remove_sip)].map((query) =>
      broken.gateway.execute(query),
    );
    await until(() => requests().length === 2);
    hold.release();
    expect((await Promise.all(both)).map(outcomeOf)).toEqual(["done", "done"]);
  });

  it("are sent one after the other if PIOPIY_MAX_CONCURRENCY is 1", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1" });
    let most = 0;
    let inFlight = 0;
    broken.upstream.respond((response) => {
      most = Math.max(most, ++inFlight);
      setImmediate(() => {
        inFlight--;
        send(response, {});
      });
    });
    const both = [mutations.update_sip, forBob(mutations.remove_sip)].map((query) =>
      broken.gateway.execute(query),
    );
    expect((await Promise.all(both)).map(outcomeOf)).toEqual(["done", "done"]);
    expect(most).toBe(1);
  });
});

describe("Several writes for one username", () => {
  it("are sent one at a time", async () => {
    let most = 0;
    let inFlight = 0;
    broken.upstream.respond((response) => {
      most = Math.max(most, ++inFlight);
      setImmediate(() => {
        inFlight--;
        send(response, {});
      });
    });
    const queries = Array.from({ length: 30 }, (_, index) =>
      mutations.update_sip.replace("made-up-1", `p-${index}`),
    );
    const responses = await Promise.all(queries.map((query) => broken.gateway.execute(query)));
    expect(new Set(responses.map(outcomeOf))).toEqual(new Set(["done"]));
    expect(most).toBe(1);
    expect(requests()).toHaveLength(30);
  });

  it("wait until a write whose response was lost is reconciled", async () => {
    const look = held();
    broken.upstream.respond((response) => response.destroy(), look.responder, refusal);
    const lost = broken.gateway.execute(mutations.update_sip);
    await until(() => requests().length === 2);
    const next = broken.gateway.execute(mutations.remove_sip);
    expect(outcomeOf(await broken.gateway.execute(forBob(mutations.remove_sip)))).toBe(
      "SIP_ENDPOINT_NOT_FOUND",
    );
    expect(requests().map(([operation]) => operation)).toEqual(["update_sip", "get_sip", "remove_sip"]);
    look.release();
    expect((await Promise.all([lost, next])).map(outcomeOf)).toEqual(["done", "SIP_ENDPOINT_NOT_FOUND"]);
    expect(auditOf(broken.gateway).map(({ outcome }) => outcome)).toEqual([
      "SIP_ENDPOINT_NOT_FOUND",
      "done",
      "SIP_ENDPOINT_NOT_FOUND",
    ]);
  });

  it("continue after one that failed", async () => {
    broken.upstream.respond({ status: 420, body: { code: 420 } }, {});
    const responses = await Promise.all(
      [mutations.update_sip, mutations.update_sip].map((query) => broken.gateway.execute(query)),
    );
    expect(responses.map(outcomeOf).sort()).toEqual(["UPSTREAM_UNAUTHENTICATED", "done"]);
  });
});

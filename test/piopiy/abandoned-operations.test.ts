import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { abandon, held, untilTimedOut } from "../support/gateway/abandoned-operations.js";
import {
  type BrokenGateway,
  operations,
  startBrokenGateway,
  writes,
} from "../support/gateway/broken-gateway.js";
import { auditOf, found, mutations, refusal, traces } from "../support/gateway/lost-writes.js";
import { until } from "../support/until.js";
import { type Responder, send } from "../support/upstream/broken-upstream.js";

const fields = {
  add_sip: "Mutation.createSipEndpoint",
  update_sip: "Mutation.updateSipEndpoint",
  remove_sip: "Mutation.removeSipEndpoint",
};

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", PIOPIY_DEADLINE_MS: "3000" });
});
afterEach(() => broken.close());

const requests = () => broken.upstream.requests.map(({ operation }) => operation);
const audit = () => auditOf(broken.gateway);

/** Holds one call back, and then does with it what `next` says. */
function heldFor(next: Responder): { responder: Responder; release: () => void } {
  const responses: (() => void)[] = [];
  return {
    responder: (response, request) =>
      responses.push(() => (typeof next === "function" ? next(response, request) : send(response, next))),
    release: () => {
      for (const response of responses.splice(0)) response();
    },
  };
}

describe.each(writes)("A caller who hangs up during %s", (operation) => {
  const line = { what: fields[operation], username: "alice" };
  const { taken, not } = traces[operation];

  it("leaves it to its end, and the audit trail tells that it was done", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 1);
    expect(audit()).toEqual([]);
    hold.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
    expect(requests()).toEqual([operation]);
  });

  it.each<[string, Responder[], string[]]>([
    ["looked at", [taken], ["get_sip"]],
    ["looked at and repeated", [not, found], ["get_sip", operation]],
  ])("leaves it to be settled when its answer is lost: it is %s", async (_, responders, more) => {
    const lost = heldFor((response) => response.destroy());
    broken.upstream.respond(lost.responder, ...responders);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 1);
    lost.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
    expect(requests()).toEqual([operation, ...more]);
  });

  it("while it is looked at leaves it to be settled too", async () => {
    const look = heldFor(taken);
    broken.upstream.respond((response) => response.destroy(), look.responder);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 2);
    look.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
  });

  it("is told in the audit trail what PIOPIY refused", async () => {
    const hold = heldFor(refusal);
    broken.upstream.respond(hold.responder);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 1);
    hold.release();
    await until(() => audit().length === 1);
    expect(audit()[0]?.outcome).toMatch(/^(USERNAME_TAKEN|SIP_ENDPOINT_NOT_FOUND)$/);
  });

  it("is told there that its outcome is unknown when PIOPIY stays silent until the deadline", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "500", PIOPIY_DEADLINE_MS: "2000" });
    broken.upstream.respond(() => {});
    await abandon(broken.gateway, mutations[operation], () => requests().length >= 1);
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "OUTCOME_UNKNOWN" }]);
  });

  it("takes it away while it waits behind a write for the same name: it is never sent", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const first = broken.gateway.execute(mutations.update_sip);
    await until(() => requests().length === 1);
    await untilTimedOut(broken.gateway, () => abandon(broken.gateway, mutations[operation], () => true));
    hold.release();
    await first;
    await broken.gateway.execute(operations.get_sip);
    expect(requests()).toEqual(["update_sip", "get_sip"]);
    expect(audit().map(({ outcome }) => outcome)).toEqual(["UPSTREAM_TIMEOUT", "done"]);
  });
});

describe("A gateway that stops", () => {
  it.each(writes)("waits for %s whose caller has left", async (operation) => {
    const hold = held();
    broken.upstream.respond(hold.responder);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 1);
    let closed = false;
    const closing = broken.gateway.close().then(() => {
      closed = true;
    });
    await until(() =>
      fetch(broken.gateway.origin).then(
        () => false,
        () => true,
      ),
    );
    expect(closed).toBe(false);
    hold.release();
    await closing;
    expect(audit()).toMatchObject([{ outcome: "done" }]);
  });
});

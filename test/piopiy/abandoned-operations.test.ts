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
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", PIOPIY_DEADLINE_MS: "60000" });
});
afterEach(() => broken.close());

const requests = () => broken.upstream.requests.map(({ operation }) => operation);
const audit = () => auditOf(broken.gateway);

/** Holds one response back. Once it is released, `next` responds. */
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

describe.each(writes)("A client that disconnects during %s", (operation) => {
  const line = { what: fields[operation], username: "alice" };
  const { taken, not } = traces[operation];

  it("does not abort the write, and the audit log has its outcome", async () => {
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
    ["verified", [taken], ["get_sip"]],
    ["verified and repeated", [not, found], ["get_sip", operation]],
  ])("does not prevent reconciliation when the response is lost: the write is %s", async (_, responders, more) => {
    const lost = heldFor((response) => response.destroy());
    broken.upstream.respond(lost.responder, ...responders);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 1);
    lost.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
    expect(requests()).toEqual([operation, ...more]);
  });

  it("does not prevent reconciliation during its get_sip", async () => {
    const look = heldFor(taken);
    broken.upstream.respond((response) => response.destroy(), look.responder);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 2);
    look.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
  });

  it("leaves the rejection by PIOPIY in the audit log", async () => {
    const hold = heldFor(refusal);
    broken.upstream.respond(hold.responder);
    await abandon(broken.gateway, mutations[operation], () => requests().length === 1);
    hold.release();
    await until(() => audit().length === 1);
    expect(audit()[0]?.outcome).toMatch(/^(USERNAME_TAKEN|SIP_ENDPOINT_NOT_FOUND)$/);
  });

  it("leaves OUTCOME_UNKNOWN in the audit log when PIOPIY does not respond before the deadline", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "500", PIOPIY_DEADLINE_MS: "2000" });
    broken.upstream.respond(() => {});
    await abandon(broken.gateway, mutations[operation], () => requests().length >= 1);
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "OUTCOME_UNKNOWN" }]);
  });

  it("removes the write from the queue of the endpoint's lock, so that it is not sent", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", PIOPIY_DEADLINE_MS: "3000" });
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

describe("A gateway that shuts down", () => {
  it.each(writes)("waits for %s whose client has disconnected", async (operation) => {
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

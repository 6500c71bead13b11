import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { givenUp, hangUp, held } from "../support/gateway/abandoned-operations.js";
import {
  type BrokenGateway,
  operations,
  startBrokenGateway,
  writes,
} from "../support/gateway/broken-gateway.js";
import { auditOf, found, mutations, refusal, traces } from "../support/gateway/lost-writes.js";
import { until } from "../support/until.js";
import { type Behaviour, send } from "../support/upstream/broken-upstream.js";

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

const calls = () => broken.upstream.calls.map(({ operation }) => operation);
const audit = () => auditOf(broken.gateway);

/** Holds one call back, and then does with it what `next` says. */
function heldFor(next: Behaviour): { behaviour: Behaviour; release: () => void } {
  const answers: (() => void)[] = [];
  return {
    behaviour: (response, call) =>
      answers.push(() => (typeof next === "function" ? next(response, call) : send(response, next))),
    release: () => {
      for (const answer of answers.splice(0)) answer();
    },
  };
}

describe.each(writes)("A caller who hangs up during %s", (operation) => {
  const line = { what: fields[operation], username: "alice" };
  const { taken, not } = traces[operation];

  it("leaves it to its end, and the audit trail tells that it was done", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    await hangUp(broken.gateway, mutations[operation], () => calls().length === 1);
    expect(audit()).toEqual([]);
    hold.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
    expect(calls()).toEqual([operation]);
  });

  it.each<[string, Behaviour[], string[]]>([
    ["looked at", [taken], ["get_sip"]],
    ["looked at and repeated", [not, found], ["get_sip", operation]],
  ])("leaves it to be settled when its answer is lost: it is %s", async (_, behaviours, more) => {
    const lost = heldFor((response) => response.destroy());
    broken.upstream.answer(lost.behaviour, ...behaviours);
    await hangUp(broken.gateway, mutations[operation], () => calls().length === 1);
    lost.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
    expect(calls()).toEqual([operation, ...more]);
  });

  it("while it is looked at leaves it to be settled too", async () => {
    const look = heldFor(taken);
    broken.upstream.answer((response) => response.destroy(), look.behaviour);
    await hangUp(broken.gateway, mutations[operation], () => calls().length === 2);
    look.release();
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "done" }]);
  });

  it("is told in the audit trail what PIOPIY refused", async () => {
    const hold = heldFor(refusal);
    broken.upstream.answer(hold.behaviour);
    await hangUp(broken.gateway, mutations[operation], () => calls().length === 1);
    hold.release();
    await until(() => audit().length === 1);
    expect(audit()[0]?.outcome).toMatch(/^(USERNAME_TAKEN|SIP_ENDPOINT_NOT_FOUND)$/);
  });

  it("is told there that its outcome is unknown when PIOPIY stays silent until the deadline", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_TIMEOUT_MS: "100", PIOPIY_DEADLINE_MS: "600" });
    broken.upstream.answer(() => {});
    await hangUp(broken.gateway, mutations[operation], () => calls().length >= 1);
    await until(() => audit().length === 1);
    expect(audit()).toEqual([{ ...line, outcome: "OUTCOME_UNKNOWN" }]);
  });

  it("takes it away while it waits behind a write for the same name: it is never sent", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const first = broken.gateway.ask(mutations.update_sip);
    await until(() => calls().length === 1);
    await givenUp(broken.gateway, () => hangUp(broken.gateway, mutations[operation], () => true));
    hold.release();
    await first;
    await broken.gateway.ask(operations.get_sip);
    expect(calls()).toEqual(["update_sip", "get_sip"]);
    expect(audit().map(({ outcome }) => outcome)).toEqual(["UPSTREAM_TIMEOUT", "done"]);
  });
});

describe("A gateway that stops", () => {
  it.each(writes)("waits for %s whose caller has left", async (operation) => {
    const hold = held();
    broken.upstream.answer(hold.behaviour);
    await hangUp(broken.gateway, mutations[operation], () => calls().length === 1);
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

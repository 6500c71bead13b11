import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { held } from "../../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway } from "../../support/gateway/broken-gateway.js";
import { outcomeOf } from "../../support/gateway/lost-writes.js";
import { reads } from "../../support/gateway/reads.js";
import { until } from "../../support/until.js";
import { send } from "../../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway({
    PIOPIY_MAX_CONCURRENCY: "1",
    PIOPIY_TIMEOUT_MS: "60000",
    PIOPIY_DEADLINE_MS: "60000",
  });
});
afterEach(() => broken.close());

const gateway = () => broken.gateway;
const requests = () =>
  broken.upstream.requests.map(({ operation, body }) => `${operation} ${JSON.parse(body).username}`);

const remove = (name: string) =>
  `mutation { it: removeSipEndpoint(input: { username: "${name}" }) { userErrors { code } } }`;

/** The error of a request that finds the queue full. */
const rejected = {
  message: "Too many requests to PIOPIY are waiting already (PIOPIY_MAX_CONCURRENCY). Try again later.",
  extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true },
};

describe("The queue of reads", () => {
  it("has fifty places for one slot, and rejects further reads immediately", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const waiting = gateway().execute(reads("a", 51));
    await until(() => requests().length === 1);
    const { errors } = await gateway().execute(reads("b", 3));
    expect(errors).toMatchObject([rejected, rejected, rejected]);
    expect(requests()).toEqual(["get_sip a-0"]);
    hold.release();
    expect((await waiting).errors).toBeUndefined();
    expect(requests()).toHaveLength(51);
  });

  it("rejects the reads of one operation that exceed it, and serves the others", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const requested = gateway().execute(reads("a", 64));
    await until(() => requests().length === 1);
    hold.release();
    const { errors } = await requested;
    expect(errors).toMatchObject(Array(13).fill(rejected));
    expect(errors?.map(({ path }) => path?.[0])).toEqual(Array.from({ length: 13 }, (_, n) => `r${51 + n}`));
    expect(requests()).toHaveLength(51);
  });

  it("has fifty places for each slot", async () => {
    await broken.close();
    broken = await startBrokenGateway({
      PIOPIY_MAX_CONCURRENCY: "2",
      PIOPIY_TIMEOUT_MS: "60000",
      PIOPIY_DEADLINE_MS: "60000",
    });
    const hold = held();
    broken.upstream.respond(hold.responder, hold.responder, {});
    const waiting = [gateway().execute(reads("a", 51)), gateway().execute(reads("b", 51))];
    await until(() => requests().length === 2);
    await gateway().execute("{ __typename }");
    expect((await gateway().execute(reads("c", 1))).errors).toMatchObject([rejected]);
    hold.release();
    for (const { errors } of await Promise.all(waiting)) expect(errors).toBeUndefined();
  });

  it("accepts reads again once it is empty", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const requested = gateway().execute(reads("a", 60));
    await until(() => requests().length === 1);
    hold.release();
    await requested;
    expect((await gateway().execute(reads("b", 40))).errors).toBeUndefined();
  });

  it("accepts reads again once the waiting ones have timed out", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", PIOPIY_DEADLINE_MS: "3000" });
    broken.upstream.respond(() => {});
    expect((await gateway().execute(reads("a", 51))).errors).toHaveLength(51);
    broken.upstream.respond({});
    expect((await gateway().execute(reads("b", 40))).errors).toBeUndefined();
  });
});

describe("Writes", () => {
  it("are sent before queued reads, and are accepted although reads fill their queue", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const waiting = gateway().execute(reads("a", 51));
    await until(() => requests().length === 1);
    const writes = [gateway().execute(remove("x")), gateway().execute(remove("y"))];
    await gateway().execute("{ __typename }");
    expect((await gateway().execute(reads("b", 1))).errors).toMatchObject([rejected]);
    hold.release();
    expect((await Promise.all(writes)).map(outcomeOf)).toEqual(["done", "done"]);
    expect((await waiting).errors).toBeUndefined();
    expect(requests().slice(0, 4)).toEqual(["get_sip a-0", "remove_sip x", "remove_sip y", "get_sip a-1"]);
  });

  it("wait in a queue of their own, which has the same limit", async () => {
    const hold = held();
    broken.upstream.respond(hold.responder, {});
    const first = gateway().execute(remove("first"));
    await until(() => requests().length === 1);
    const outcomes: string[] = [];
    const responses = Array.from({ length: 60 }, async (_, n) => {
      outcomes.push(outcomeOf(await gateway().execute(remove(`w-${n}`))));
    });
    await until(() => outcomes.length === 10);
    expect(outcomes).toEqual(Array(10).fill("UPSTREAM_UNAVAILABLE"));
    expect(requests()).toEqual(["remove_sip first"]);
    hold.release();
    await Promise.all(responses);
    expect(outcomes.slice(10)).toEqual(Array(50).fill("done"));
    expect(outcomeOf(await first)).toBe("done");
    expect(requests()).toHaveLength(51);
  });

  it("are reconciled before queued reads are sent", async () => {
    const responses: (() => void)[] = [];
    broken.upstream.respond(
      (response) => responses.push(() => response.destroy()),
      (response) => send(response, {}),
    );
    const lost = gateway().execute(remove("alice"));
    await until(() => requests().length === 1);
    const waiting = gateway().execute(reads("a", 20));
    await gateway().execute("{ __typename }");
    for (const result of responses) result();
    expect(outcomeOf(await lost)).toBe("done");
    expect((await waiting).errors).toBeUndefined();
    const order = requests();
    expect(order.indexOf("get_sip alice")).toBeLessThan(20);
    expect(order.indexOf("remove_sip alice", 1)).toBeLessThan(20);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { outcomeOf } from "../support/gateway/lost-writes.js";
import { reads } from "../support/gateway/reads.js";
import { until } from "../support/until.js";
import { send } from "../support/upstream/broken-upstream.js";

let broken: BrokenGateway;
beforeEach(async () => {
  broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", PIOPIY_DEADLINE_MS: "5000" });
});
afterEach(() => broken.close());

const gateway = () => broken.gateway;
const calls = () =>
  broken.upstream.calls.map(({ operation, body }) => `${operation} ${JSON.parse(body).username}`);

const remove = (name: string) =>
  `mutation { it: removeSipEndpoint(input: { username: "${name}" }) { userErrors { code } } }`;

/** What a call is answered with that finds no place in the queue. */
const shed = {
  message: "Too many calls to PIOPIY wait already (PIOPIY_MAX_CONCURRENCY). Try again later.",
  extensions: { code: "UPSTREAM_UNAVAILABLE", retryable: true },
};

describe("The queue of reads", () => {
  it("holds fifty for the one place: further ones are answered at once while those wait", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const waiting = gateway().ask(reads("a", 51));
    await until(() => calls().length === 1);
    const { errors } = await gateway().ask(reads("b", 3));
    expect(errors).toMatchObject([shed, shed, shed]);
    expect(calls()).toEqual(["get_sip a-0"]);
    hold.release();
    expect((await waiting).errors).toBeUndefined();
    expect(calls()).toHaveLength(51);
  });

  it("sheds those of one operation that are too many, and answers the others", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const asked = gateway().ask(reads("a", 64));
    await until(() => calls().length === 1);
    hold.release();
    const { errors } = await asked;
    expect(errors).toMatchObject(Array(13).fill(shed));
    expect(errors?.map(({ path }) => path?.[0])).toEqual(Array.from({ length: 13 }, (_, n) => `r${51 + n}`));
    expect(calls()).toHaveLength(51);
  });

  it("holds fifty for each place", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "2", PIOPIY_DEADLINE_MS: "5000" });
    const hold = held();
    broken.upstream.answer(hold.behaviour, hold.behaviour, {});
    const waiting = [gateway().ask(reads("a", 51)), gateway().ask(reads("b", 51))];
    await until(() => calls().length === 2);
    await gateway().ask("{ __typename }");
    expect((await gateway().ask(reads("c", 1))).errors).toMatchObject([shed]);
    hold.release();
    for (const { errors } of await Promise.all(waiting)) expect(errors).toBeUndefined();
  });

  it("has places again once it has emptied", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const asked = gateway().ask(reads("a", 60));
    await until(() => calls().length === 1);
    hold.release();
    await asked;
    expect((await gateway().ask(reads("b", 40))).errors).toBeUndefined();
  });

  it("has places again once those that wait are given up", async () => {
    await broken.close();
    broken = await startBrokenGateway({ PIOPIY_MAX_CONCURRENCY: "1", PIOPIY_DEADLINE_MS: "300" });
    broken.upstream.answer(() => {});
    expect((await gateway().ask(reads("a", 51))).errors).toHaveLength(51);
    broken.upstream.answer({});
    expect((await gateway().ask(reads("b", 40))).errors).toBeUndefined();
  });
});

describe("Writes", () => {
  it("pass waiting reads, and find a place although reads fill the queue", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const waiting = gateway().ask(reads("a", 51));
    await until(() => calls().length === 1);
    const writes = [gateway().ask(remove("x")), gateway().ask(remove("y"))];
    await gateway().ask("{ __typename }");
    expect((await gateway().ask(reads("b", 1))).errors).toMatchObject([shed]);
    hold.release();
    expect((await Promise.all(writes)).map(outcomeOf)).toEqual(["done", "done"]);
    expect((await waiting).errors).toBeUndefined();
    expect(calls().slice(0, 4)).toEqual(["get_sip a-0", "remove_sip x", "remove_sip y", "get_sip a-1"]);
  });

  it("wait in a queue of their own, which is bounded alike", async () => {
    const hold = held();
    broken.upstream.answer(hold.behaviour, {});
    const first = gateway().ask(remove("first"));
    await until(() => calls().length === 1);
    const outcomes: string[] = [];
    const answers = Array.from({ length: 60 }, async (_, n) => {
      outcomes.push(outcomeOf(await gateway().ask(remove(`w-${n}`))));
    });
    await until(() => outcomes.length === 10);
    expect(outcomes).toEqual(Array(10).fill("UPSTREAM_UNAVAILABLE"));
    expect(calls()).toEqual(["remove_sip first"]);
    hold.release();
    await Promise.all(answers);
    expect(outcomes.slice(10)).toEqual(Array(50).fill("done"));
    expect(outcomeOf(await first)).toBe("done");
    expect(calls()).toHaveLength(51);
  });

  it("that are looked at pass waiting reads too", async () => {
    const answers: (() => void)[] = [];
    broken.upstream.answer(
      (response) => answers.push(() => response.destroy()),
      (response) => send(response, {}),
    );
    const lost = gateway().ask(remove("alice"));
    await until(() => calls().length === 1);
    const waiting = gateway().ask(reads("a", 20));
    await gateway().ask("{ __typename }");
    for (const answer of answers) answer();
    expect(outcomeOf(await lost)).toBe("done");
    expect((await waiting).errors).toBeUndefined();
    const order = calls();
    expect(order.indexOf("get_sip alice")).toBeLessThan(20);
    expect(order.indexOf("remove_sip alice", 1)).toBeLessThan(20);
  });
});

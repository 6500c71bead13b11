import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { held } from "../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway } from "../support/gateway/broken-gateway.js";
import { outcomeOf } from "../support/gateway/lost-writes.js";
import { reads } from "../support/gateway/reads.js";
import type { Answer } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";

const [a, b, c] = ["key-a", "key-b", "key-c"].map(bearer) as [Headers, Headers, Headers];
type Headers = { authorization: string };

let broken: BrokenGateway;
let hold: ReturnType<typeof held>;
beforeEach(async () => {
  const scopes = "sip:read+sip:write";
  const keys = apiKeys({ "key-a": scopes, "key-b": scopes, "key-c": scopes });
  broken = await startBrokenGateway({ ...keys, PIOPIY_MAX_CONCURRENCY: "1" });
  hold = held();
  broken.upstream.answer(hold.behaviour, {});
});
afterEach(() => broken.close());

const calls = () =>
  broken.upstream.calls.map(({ operation, body }) => `${operation} ${JSON.parse(body).username}`);
const remove = (name: string) =>
  `mutation { it: removeSipEndpoint(input: { username: "${name}" }) { userErrors { code } } }`;

/** Sends operations, and waits until the gateway has begun them. */
async function begin(headers: Headers, ...queries: string[]): Promise<Promise<Answer<unknown>>[]> {
  const answers = queries.map((query) => broken.gateway.ask(query, {}, headers));
  await until(() => calls().length > 0);
  for (let round = 0; round < 3; round++) await broken.gateway.ask("{ __typename }", {}, headers);
  return answers;
}

const outcomes = async (answers: Promise<Answer<unknown>>[]) => (await Promise.all(answers)).map(outcomeOf);

describe("Waiting upstream requests", () => {
  it("are taken from the clients in turn", async () => {
    const answers = [
      ...(await begin(a, reads("a", 10))),
      ...(await begin(b, reads("b", 3))),
      ...(await begin(c, reads("c", 2))),
    ];
    hold.release();
    expect(new Set(await outcomes(answers))).toEqual(new Set(["done"]));
    const order = calls().map((call) => call.replace(/get_sip (.).*/, "$1"));
    expect(order.join("")).toBe("aabcabcabaaaaaa");
  });

  it("of a client with few get in where another client has filled the queue", async () => {
    const [many] = await begin(a, reads("a", 51));
    const few = await begin(b, reads("b", 3));
    hold.release();
    expect(await outcomes(few)).toEqual(["done"]);
    const { errors } = (await many) as Answer<unknown>;
    expect(errors?.map(({ path }) => path?.[0]).sort()).toEqual(["r48", "r49", "r50"]);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(["UPSTREAM_UNAVAILABLE"]),
    );
    expect(calls()).toHaveLength(51);
  });

  it("of clients that fill the queue together leave each the same part of it", async () => {
    const sides = [...(await begin(a, reads("a", 60))), ...(await begin(b, reads("b", 60)))];
    hold.release();
    await Promise.all(sides);
    const served = (name: string) => calls().filter((call) => call.startsWith(`get_sip ${name}-`)).length;
    expect([served("a"), served("b")]).toEqual([26, 25]);
  });

  it("are taken in turn where they are writes too", async () => {
    const names = (kind: string, count: number) =>
      Array.from({ length: count }, (_, n) => remove(`${kind}-${n}`));
    const many = await begin(a, ...names("a", 30));
    const few = await begin(b, ...names("b", 2));
    hold.release();
    expect(await outcomes([...many, ...few])).toEqual(Array(32).fill("done"));
    expect(calls().findLastIndex((call) => call.startsWith("remove_sip b-"))).toBeLessThan(6);
  });

  it("that are writes go before the reads of all clients", async () => {
    const waiting = [...(await begin(a, reads("a", 10))), ...(await begin(b, reads("b", 10)))];
    const write = await begin(c, remove("c"));
    hold.release();
    expect(await outcomes([...waiting, ...write])).toEqual(["done", "done", "done"]);
    expect(calls().indexOf("remove_sip c")).toBe(1);
  });

  it("that are reads are not kept out by one client's writes", async () => {
    const writes = await begin(a, ...Array.from({ length: 30 }, (_, n) => remove(`a-${n}`)));
    const read = await begin(b, reads("b", 2));
    hold.release();
    expect(await outcomes([...writes, ...read])).toEqual(Array(31).fill("done"));
    expect(calls().indexOf("get_sip b-1")).toBeLessThan(6);
  });
});

describe("A read that several clients wait for", () => {
  const shared = '{ sipEndpoint(username: "shared") { username } }';

  it("comes as soon as it would for the client that joined, however many the first client has", async () => {
    const first = await begin(a, reads("a", 30), shared);
    const joined = await begin(b, shared);
    hold.release();
    expect(await outcomes(joined)).toEqual(["done"]);
    expect(await outcomes(first)).toEqual(["done", "done"]);
    expect(calls().indexOf("get_sip shared")).toBeLessThan(3);
    expect(calls().filter((call) => call === "get_sip shared")).toHaveLength(1);
  });

  it("keeps its place with one client when the queue of the other one is cut", async () => {
    const first = await begin(a, reads("a", 49), shared);
    const joined = await begin(b, shared);
    const last = await begin(c, reads("c", 5));
    hold.release();
    expect(await outcomes([...joined, ...last])).toEqual(["done", "done"]);
    expect((await Promise.all(first))[1]?.errors).toBeUndefined();
  });

  it("goes on when the first client leaves while it waits", async () => {
    const blocking = await begin(a, reads("a", 1));
    const joined: Promise<Answer<unknown>>[] = [];
    const others = await begin(c, reads("c", 10));
    const { origin } = broken.gateway;
    const leaving = new AbortController();
    const left = fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { ...a, "content-type": "application/json" },
      body: JSON.stringify({ query: shared }),
      signal: leaving.signal,
    }).catch(() => "left");
    joined.push(...(await begin(b, shared)));
    leaving.abort();
    expect(await left).toBe("left");
    await begin(b, "{ __typename }");
    hold.release();
    expect(await outcomes([...joined, ...blocking, ...others])).toEqual(["done", "done", "done"]);
    expect(calls()).toHaveLength(12);
  });
});

describe("The lock of an endpoint", () => {
  it("is given to the clients in turn, and no client fills its queue", async () => {
    const many = await begin(a, ...Array.from({ length: 51 }, () => remove("alice")));
    const few = await begin(b, remove("alice"));
    let served = 0;
    for (const answer of many) void answer.then(() => served++);
    hold.release();
    expect(await outcomes(few)).toEqual(["done"]);
    // One was rejected to make room, and a few were before it.
    expect(served).toBeLessThan(20);
    expect((await outcomes(many)).filter((outcome) => outcome !== "done")).toEqual(["UPSTREAM_UNAVAILABLE"]);
  });
});

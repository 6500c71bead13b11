import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { apiKeys, bearer } from "../../support/auth/api-keys.js";
import { held } from "../../support/gateway/abandoned-operations.js";
import { type BrokenGateway, startBrokenGateway } from "../../support/gateway/broken-gateway.js";
import { outcomeOf } from "../../support/gateway/lost-writes.js";
import { reads } from "../../support/gateway/reads.js";
import type { GraphqlResponse } from "../../support/gateway/test-gateway.js";
import { until } from "../../support/until.js";

const [a, b, c] = ["key-a", "key-b", "key-c"].map(bearer) as [Headers, Headers, Headers];
type Headers = { authorization: string };

let broken: BrokenGateway;
let hold: ReturnType<typeof held>;
beforeEach(async () => {
  const scopes = "sip:read+sip:write";
  const keys = apiKeys({ "key-a": scopes, "key-b": scopes, "key-c": scopes });
  broken = await startBrokenGateway({ ...keys, PIOPIY_MAX_CONCURRENCY: "1" });
  hold = held();
  broken.upstream.respond(hold.responder, {});
});
afterEach(() => broken.close());

const requests = () =>
  broken.upstream.requests.map(({ operation, body }) => `${operation} ${JSON.parse(body).username}`);
const remove = (name: string) =>
  `mutation { it: removeSipEndpoint(input: { username: "${name}" }) { userErrors { code } } }`;

/** Starts operations, and waits until the gateway has begun to execute them. */
async function begin(headers: Headers, ...queries: string[]): Promise<Promise<GraphqlResponse<unknown>>[]> {
  const responses = queries.map((query) => broken.gateway.execute(query, {}, headers));
  await until(() => requests().length > 0);
  for (let round = 0; round < 3; round++) await broken.gateway.execute("{ __typename }", {}, headers);
  return responses;
}

const outcomes = async (responses: Promise<GraphqlResponse<unknown>>[]) =>
  (await Promise.all(responses)).map(outcomeOf);

describe("Queued upstream requests", () => {
  it("are sent for the clients in turn", async () => {
    const responses = [
      ...(await begin(a, reads("a", 10))),
      ...(await begin(b, reads("b", 3))),
      ...(await begin(c, reads("c", 2))),
    ];
    hold.release();
    expect(new Set(await outcomes(responses))).toEqual(new Set(["done"]));
    const order = requests().map((request) => request.replace(/get_sip (.).*/, "$1"));
    expect(order.join("")).toBe("aabcabcabaaaaaa");
  });

  it("of a client with few are accepted when another client has filled the queue", async () => {
    const [many] = await begin(a, reads("a", 51));
    const few = await begin(b, reads("b", 3));
    hold.release();
    expect(await outcomes(few)).toEqual(["done"]);
    const { errors } = (await many) as GraphqlResponse<unknown>;
    expect(errors?.map(({ path }) => path?.[0]).sort()).toEqual(["r48", "r49", "r50"]);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(["UPSTREAM_UNAVAILABLE"]),
    );
    expect(requests()).toHaveLength(51);
  });

  it("of clients that fill the queue together share it equally", async () => {
    const sides = [...(await begin(a, reads("a", 60))), ...(await begin(b, reads("b", 60)))];
    hold.release();
    await Promise.all(sides);
    const served = (name: string) =>
      requests().filter((request) => request.startsWith(`get_sip ${name}-`)).length;
    expect([served("a"), served("b")]).toEqual([26, 25]);
  });

  it("that are writes are sent for the clients in turn too", async () => {
    const names = (kind: string, count: number) =>
      Array.from({ length: count }, (_, n) => remove(`${kind}-${n}`));
    const many = await begin(a, ...names("a", 30));
    const few = await begin(b, ...names("b", 2));
    hold.release();
    expect(await outcomes([...many, ...few])).toEqual(Array(32).fill("done"));
    expect(requests().findLastIndex((request) => request.startsWith("remove_sip b-"))).toBeLessThan(6);
  });

  it("that are writes are sent before the reads of all clients", async () => {
    const waiting = [...(await begin(a, reads("a", 10))), ...(await begin(b, reads("b", 10)))];
    const write = await begin(c, remove("c"));
    hold.release();
    expect(await outcomes([...waiting, ...write])).toEqual(["done", "done", "done"]);
    expect(requests().indexOf("remove_sip c")).toBe(1);
  });

  it("that are reads are not blocked by the writes of one client", async () => {
    const writes = await begin(a, ...Array.from({ length: 30 }, (_, n) => remove(`a-${n}`)));
    const read = await begin(b, reads("b", 2));
    hold.release();
    expect(await outcomes([...writes, ...read])).toEqual(Array(31).fill("done"));
    expect(requests().indexOf("get_sip b-1")).toBeLessThan(6);
  });
});

describe("A read that several clients wait for", () => {
  const shared = '{ sipEndpoint(username: "shared") { username } }';

  it("is sent as early as for the client that joined alone, whatever the queue of the first client", async () => {
    const first = await begin(a, reads("a", 30), shared);
    const joined = await begin(b, shared);
    hold.release();
    expect(await outcomes(joined)).toEqual(["done"]);
    expect(await outcomes(first)).toEqual(["done", "done"]);
    expect(requests().indexOf("get_sip shared")).toBeLessThan(3);
    expect(requests().filter((request) => request === "get_sip shared")).toHaveLength(1);
  });

  it("stays in the queue of one client when it is removed from the queue of the other one", async () => {
    const first = await begin(a, reads("a", 49), shared);
    const joined = await begin(b, shared);
    const last = await begin(c, reads("c", 5));
    hold.release();
    expect(await outcomes([...joined, ...last])).toEqual(["done", "done"]);
    expect((await Promise.all(first))[1]?.errors).toBeUndefined();
  });

  it("continues when the first client disconnects while it is queued", async () => {
    const blocking = await begin(a, reads("a", 1));
    const joined: Promise<GraphqlResponse<unknown>>[] = [];
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
    expect(requests()).toHaveLength(12);
  });
});

describe("The lock of an endpoint", () => {
  it("is acquired by the clients in turn, and no client can fill its queue", async () => {
    const many = await begin(a, ...Array.from({ length: 51 }, () => remove("alice")));
    const few = await begin(b, remove("alice"));
    let served = 0;
    for (const response of many) void response.then(() => served++);
    hold.release();
    expect(await outcomes(few)).toEqual(["done"]);
    // One was rejected to make room, and a few had ended before.
    expect(served).toBeLessThan(20);
    expect((await outcomes(many)).filter((outcome) => outcome !== "done")).toEqual(["UPSTREAM_UNAVAILABLE"]);
  });
});

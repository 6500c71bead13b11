import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import {
  type BrokenGateway,
  operations,
  startBrokenGateway,
  writes,
} from "../support/gateway/broken-gateway.js";
import {
  auditOf,
  cut,
  found,
  mutations,
  refusal,
  silent,
  traces,
  write,
} from "../support/gateway/lost-writes.js";
import { until } from "../support/until.js";
import { alice, type Responder } from "../support/upstream/broken-upstream.js";

const shortTimeouts = { PIOPIY_TIMEOUT_MS: "500", PIOPIY_DEADLINE_MS: "1500" };

let broken: BrokenGateway;
afterEach(() => broken.close());

describe.each(writes)("%s whose outcome PIOPIY does not show before the deadline", (operation) => {
  beforeEach(async () => {
    broken = await startBrokenGateway(shortTimeouts);
  });

  it.each<[string, Responder]>([
    ["does not respond", silent],
    ["closes every connection", cut],
    ["responds with HTML", { body: "<h1>Something is wrong</h1>" }],
    ["responds with HTTP 500", { status: 500 }],
  ])("returns one error, OUTCOME_UNKNOWN, when PIOPIY %s", async (_, responder) => {
    broken.upstream.respond(responder);
    const { data, errors, headers } = await broken.gateway.execute(mutations[operation]);
    expect(data).toEqual({ it: null });
    expect(errors).toMatchObject([
      {
        message: `It is unknown whether ${operation} took effect: PIOPIY did not confirm it in time. It is safe to repeat the mutation or to read the endpoint.`,
        path: ["it"],
      },
    ]);
    expect(errors?.map(({ extensions }) => extensions)).toEqual([
      { code: "OUTCOME_UNKNOWN", retryable: true, requestId: headers.get("x-request-id") },
    ]);
    const [first, ...looks] = broken.upstream.requests.map((request) => request.operation);
    expect(first).toBe(operation);
    expect(looks.length).toBeGreaterThan(1);
    expect(new Set(looks)).toEqual(new Set(["get_sip"]));
  });

  it("sends no further upstream request after the response", async () => {
    const { outcome, requests } = await write(broken, operation, silent);
    expect(outcome).toBe("OUTCOME_UNKNOWN");
    await until(() => broken.upstream.connections.open === 0);
    // A whole further operation gives a late request of the first one time to arrive.
    await broken.gateway.execute('{ sipEndpoint(username: "bob") { type } }');
    const later = broken.upstream.requests.slice(requests.length);
    expect(later.map(({ body }) => JSON.parse(body).username)).not.toContain("alice");
  });

  it("returns OUTCOME_UNKNOWN also when repetitions are lost and none takes effect", async () => {
    broken.upstream.respond((response, request) => {
      if (request.operation === "get_sip") response.end(JSON.stringify(traces[operation].not.body));
      else response.destroy();
    });
    const result = await broken.gateway.execute(mutations[operation]);
    expect(result.errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN" } }]);
    const requests = broken.upstream.requests.map((request) => request.operation);
    expect(requests.slice(0, 4)).toEqual([operation, "get_sip", operation, "get_sip"]);
  });

  it("is reconciled when the client repeats it", async () => {
    expect((await write(broken, operation, silent)).outcome).toBe("OUTCOME_UNKNOWN");
    expect((await write(broken, operation, found)).outcome).toBe("done");
  });

  it("is OUTCOME_UNKNOWN in the audit log and in the log entry of the operation", async () => {
    await write(broken, operation, silent);
    expect(auditOf(broken.gateway)).toMatchObject([{ username: "alice", outcome: "OUTCOME_UNKNOWN" }]);
    expect(broken.gateway.log.filter((line) => line.includes('"codes":["OUTCOME_UNKNOWN"]'))).toHaveLength(1);
  });
});

describe.each(writes)("%s whose response was lost", (operation) => {
  beforeEach(async () => {
    broken = await startBrokenGateway();
  });

  it.each<[string, Responder]>([
    ["rejects the account", { status: 420, body: { code: "cmi-420" } }],
    ["rejects get_sip", { status: 404, body: { code: "cmi-404" } }],
    ["is busy until after the deadline", { status: 429, headers: { "retry-after": "3600" } }],
  ])("returns OUTCOME_UNKNOWN immediately when PIOPIY then %s", async (_, responder) => {
    expect(await write(broken, operation, cut, responder)).toEqual({
      outcome: "OUTCOME_UNKNOWN",
      requests: [operation, "get_sip"],
    });
  });

  it("returns OUTCOME_UNKNOWN immediately when PIOPIY rejects the account at the repetition", async () => {
    const refused = { status: 420, body: { code: "cmi-420" } };
    expect(await write(broken, operation, cut, traces[operation].not, refused)).toEqual({
      outcome: "OUTCOME_UNKNOWN",
      requests: [operation, "get_sip", operation],
    });
  });
});

describe("A write of unknown outcome", () => {
  it("has used up the deadline, so that later mutations of the operation are not sent", async () => {
    broken = await startBrokenGateway(shortTimeouts);
    broken.upstream.respond(cut, silent);
    const { errors } = await broken.gateway.execute(
      'mutation { a: removeSipEndpoint(input: { username: "a" }) { username } b: removeSipEndpoint(input: { username: "b" }) { username } }',
    );
    expect(errors).toMatchObject([
      { path: ["a"], extensions: { code: "OUTCOME_UNKNOWN" } },
      { path: ["b"], extensions: { code: "UPSTREAM_TIMEOUT", retryable: true } },
    ]);
    expect(broken.upstream.requests.filter(({ body }) => body.includes('"b"'))).toEqual([]);
  });

  it("does not affect reads and writes of other endpoints", async () => {
    broken = await startBrokenGateway(shortTimeouts);
    broken.upstream.respond((response, { body }) => {
      if (body.includes("alice")) response.destroy();
      else response.end(JSON.stringify(body.includes("bob") ? { ...alice, username: "bob" } : refusal.body));
    });
    const lost = broken.gateway.execute(mutations.remove_sip);
    const bob = await broken.gateway.execute(operations.get_sip.replace("alice", "bob"));
    const carol = await broken.gateway.execute(operations.remove_sip.replace("alice", "carol"));
    expect(bob.errors).toBeUndefined();
    expect(bob.data).toMatchObject({ sipEndpoint: { type: "SIP" } });
    expect(carol.data).toEqual({ removeSipEndpoint: { userErrors: [{ code: "SIP_ENDPOINT_NOT_FOUND" }] } });
    expect((await lost).errors).toMatchObject([{ extensions: { code: "OUTCOME_UNKNOWN" } }]);
  });
});

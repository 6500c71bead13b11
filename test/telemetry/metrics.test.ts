import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { apiKeys, bearer } from "../support/auth/api-keys.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { scrape } from "../support/gateway/metrics.js";
import { until } from "../support/until.js";

const account = readEmulatorSettings({ EMULATOR_PORT: "0" });
const COUNTED = /^(?!process_|nodejs_).*_(total|count)$/;

let emulator: Emulator;
let gateway: BuiltGateway;
beforeAll(async () => {
  emulator = await startEmulator(account);
  gateway = await startBuiltGateway({
    ...apiKeys({ desk: "sip:read+sip:write+sip:password", greedy: "sip:read" }),
    PORT: "0",
    METRICS_PORT: "0",
    PIOPIY_URL: emulator.url,
    PIOPIY_APP_ID: String(account.appId),
    PIOPIY_SECRET: account.secret,
    CACHE_TTL_MS: "3600000",
    RATE_LIMIT_PER_MINUTE: "3000",
    MAX_BODY_BYTES: "5000",
    MAX_COST: "1000",
  });
});
afterAll(async () => {
  gateway.child.kill("SIGKILL");
  await gateway.end;
  await emulator.close();
});

function send(query: string, key = "desk", signal?: AbortSignal): Promise<Response> {
  return fetch(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key && bearer(key)) },
    body: JSON.stringify({ query }),
    signal: signal ?? null,
  });
}

async function addFaults(...faults: object[]): Promise<void> {
  for (const fault of faults) {
    await fetch(`${emulator.origin}/_emulator/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fault),
    });
  }
}

const read = (name: string, username: string) =>
  `query ${name} { sipEndpoint(username: "${username}") { type } }`;
const create = (name: string, username: string) =>
  `mutation ${name} { createSipEndpoint(input: { username: "${username}", password: "made-up-1" }) { userErrors { code } } }`;

/** Returns the counters, each with the values of its labels. */
async function counts(): Promise<Record<string, number>> {
  const samples = (await scrape(gateway)).filter(({ name }) => COUNTED.test(name));
  return Object.fromEntries(
    samples.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(" "), value]),
  );
}

/** Returns the counters that a function increases, and by how much. */
async function changesOf(act: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await counts();
  await act();
  const after = await counts();
  const changes = Object.entries(after).map(([key, value]) => [key, value - (before[key] ?? 0)] as const);
  return Object.fromEntries(changes.filter(([, change]) => change !== 0));
}

const operation = (...labels: string[]) => `graphql_operation_duration_seconds_count ${labels.join(" ")}`;
const attempt = (...labels: string[]) => `piopiy_request_duration_seconds_count ${labels.join(" ")}`;

describe("The metrics count", () => {
  it.each<[string, () => Promise<unknown>, Record<string, number>]>([
    [
      "an operation and its upstream request",
      () => send(read("Team", "alice")),
      {
        [operation("Team", "query", "ok")]: 1,
        [attempt("get_sip", "ok")]: 1,
        "gateway_cache_results_total miss": 1,
        "piopiy_queue_wait_seconds_count read": 1,
      },
    ],
    [
      "cached responses",
      async () => {
        await send(read("Team", "alice"));
        await send(read("Team", "alice"));
      },
      { [operation("Team", "query", "ok")]: 2, "gateway_cache_results_total hit": 2 },
    ],
    [
      "an invalid document, without its name",
      () => send("query Invalid { nothing }"),
      {
        [operation("anonymous", "unknown", "client_error")]: 1,
        "graphql_errors_total GRAPHQL_VALIDATION_FAILED": 1,
      },
    ],
    [
      "each failed item of a mutation of many endpoints as an error, and the mutation as failed",
      async () => {
        await addFaults({ operation: "remove_sip", kind: "status", status: 420, times: 2 });
        await send(
          'mutation Many { removeSipEndpoints(input: { usernames: ["m-1", "m-2"] }) { failed results { error { code } } } }',
        );
      },
      {
        [operation("Many", "mutation", "upstream_error")]: 1,
        "graphql_errors_total UPSTREAM_UNAUTHENTICATED": 2,
        [attempt("remove_sip", "UPSTREAM_UNAUTHENTICATED")]: 2,
        "piopiy_queue_wait_seconds_count write": 2,
      },
    ],
    [
      "a retry",
      async () => {
        await addFaults({ operation: "get_sip", kind: "status", status: 503, times: 1 });
        await send(read("Retried", "bob"));
      },
      {
        [operation("Retried", "query", "ok")]: 1,
        [attempt("get_sip", "UPSTREAM_UNAVAILABLE")]: 1,
        [attempt("get_sip", "ok")]: 1,
        "piopiy_retries_total get_sip": 1,
        "gateway_cache_results_total miss": 1,
        "piopiy_queue_wait_seconds_count read": 2,
      },
    ],
    [
      "an operation that fails because of PIOPIY",
      async () => {
        await addFaults({ operation: "get_sip", kind: "status", status: 503, times: 3 });
        await send(read("Failed", "carol"));
      },
      {
        [operation("Failed", "query", "upstream_error")]: 1,
        [attempt("get_sip", "UPSTREAM_UNAVAILABLE")]: 3,
        "graphql_errors_total UPSTREAM_UNAVAILABLE": 1,
        "piopiy_retries_total get_sip": 2,
        "piopiy_queue_wait_seconds_count read": 3,
      },
    ],
    [
      "a lost write that took effect",
      async () => {
        await addFaults({ operation: "add_sip", kind: "lose-reply" });
        await send(create("Lost", "lost-1"));
      },
      {
        [operation("Lost", "mutation", "ok")]: 1,
        [attempt("add_sip", "OUTCOME_UNKNOWN")]: 1,
        [attempt("get_sip", "ok")]: 1,
        "piopiy_reconciled_writes_total add_sip applied": 1,
        "piopiy_queue_wait_seconds_count write": 2,
      },
    ],
    [
      "a lost write that is repeated",
      async () => {
        await addFaults({ operation: "add_sip", kind: "reset" });
        await send(create("Lost", "lost-2"));
      },
      {
        [operation("Lost", "mutation", "ok")]: 1,
        [attempt("add_sip", "OUTCOME_UNKNOWN")]: 1,
        [attempt("add_sip", "ok")]: 1,
        [attempt("get_sip", "ok")]: 1,
        "piopiy_retries_total add_sip": 1,
        "piopiy_reconciled_writes_total add_sip repeated": 1,
        "piopiy_queue_wait_seconds_count write": 3,
      },
    ],
    [
      "a lost write that another client's endpoint prevents",
      async () => {
        await addFaults({ operation: "add_sip", username: "alice", kind: "reset" });
        await send(create("Lost", "alice"));
      },
      {
        [operation("Lost", "mutation", "ok")]: 1,
        [attempt("add_sip", "OUTCOME_UNKNOWN")]: 1,
        [attempt("get_sip", "ok")]: 1,
        "piopiy_reconciled_writes_total add_sip not_applied": 1,
        "piopiy_queue_wait_seconds_count write": 2,
      },
    ],
    [
      "a missing and an unknown credential",
      async () => {
        await send("{ __typename }", "");
        await send("{ __typename }", "made-up-key");
      },
      {
        "gateway_logins_refused_total missing": 1,
        "gateway_logins_refused_total unknown-key": 1,
        "gateway_rejected_requests_total 401": 2,
        "graphql_errors_total UNAUTHENTICATED": 2,
      },
    ],
    [
      "requests that are rejected before GraphQL",
      async () => {
        await fetch(`${gateway.origin}/unknown`);
        await send(`{ ${"x".repeat(5000)} }`);
        const { hostname, port } = new URL(gateway.origin);
        const socket = connect(Number(port), hostname);
        socket.end("NOT HTTP\r\n\r\n").resume();
        await once(socket, "close");
      },
      {
        "gateway_rejected_requests_total 404": 1,
        "gateway_rejected_requests_total 413": 1,
        "gateway_rejected_requests_total 400": 1,
        "gateway_limit_rejections_total MAX_BODY_BYTES": 1,
        "graphql_errors_total BAD_REQUEST": 2,
      },
    ],
    [
      "an operation that exceeds a limit",
      () =>
        send(
          "query Expensive { a: sipEndpoints(first: 100) { nodes { type } } b: sipEndpoints(first: 100) { nodes { type } } c: sipEndpoints(first: 100) { nodes { type } } }",
        ),
      {
        [operation("Expensive", "query", "client_error")]: 1,
        "gateway_limit_rejections_total MAX_COST": 1,
        "graphql_errors_total GRAPHQL_VALIDATION_FAILED": 1,
      },
    ],
  ])("%s", async (_, act, expected) => {
    expect(await changesOf(act)).toEqual(expected);
  });

  it("a write whose outcome is unknown", async () => {
    await addFaults(
      { operation: "add_sip", kind: "lose-reply" },
      { operation: "get_sip", username: "lost-3", kind: "status", status: 404 },
    );
    const changes = await changesOf(() => send(create("Unknown", "lost-3")));
    expect(changes).toMatchObject({
      [operation("Unknown", "mutation", "upstream_error")]: 1,
      [attempt("add_sip", "OUTCOME_UNKNOWN")]: 1,
      "graphql_errors_total OUTCOME_UNKNOWN": 1,
      "piopiy_reconciled_writes_total add_sip unknown": 1,
    });
  });

  it("operations that exceed the rate limit", async () => {
    const list = "query Greedy { sipEndpoints(first: 100) { nodes { username } } }";
    const changes = await changesOf(async () => {
      await until(async () => (await (await send(list, "greedy")).text()).includes("RATE_LIMITED"));
    });
    expect(changes).toMatchObject({
      [operation("Greedy", "query", "client_error")]: 1,
      "gateway_limit_rejections_total RATE_LIMIT_PER_MINUTE": 1,
      "graphql_errors_total RATE_LIMITED": 1,
    });
  });

  it("an operation whose client disconnects", async () => {
    await addFaults({ operation: "get_sip", username: "dave", kind: "latency", ms: 300 });
    const leaving = new AbortController();
    const changes = await changesOf(async () => {
      const left = send(read("Left", "dave"), "desk", leaving.signal);
      await until(async () => {
        const calls = await fetch(`${emulator.origin}/_emulator/calls`);
        return (await calls.text()).includes('"dave"');
      });
      leaving.abort();
      await expect(left).rejects.toThrow();
      await until(async () => operation("Left", "query", "aborted") in (await counts()));
    });
    expect(changes).toMatchObject({
      [operation("Left", "query", "aborted")]: 1,
      [attempt("get_sip", "aborted")]: 1,
    });
  });
});

it("The metrics contain no names of clients and endpoints, and no addresses", async () => {
  await send(read("Named", "alice"));
  const values = (await scrape(gateway)).flatMap(({ labels }) => Object.values(labels));
  expect(values).toContain("Named");
  expect(values.filter((value) => /desk|alice|127\.0\.0\.1|made-up/.test(value))).toEqual([]);
});

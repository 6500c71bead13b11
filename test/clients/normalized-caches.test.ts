/**
 * Loads the clients as in development, in which they print warnings.
 *
 * @jest-environment-options {"customExportConditions": ["node", "node-addons", "development"]}
 */
import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { buildSchema, introspectionFromSchema } from "graphql";
import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { until } from "../support/until.js";
import { startApolloClient } from "./apollo-client.js";
import type { CachingClient } from "./caching-client.js";
import { removeProjects } from "./client-project.js";
import { startGraphcache } from "./graphcache.js";
import { startRelay } from "./relay.js";

const schema = introspectionFromSchema(buildSchema(readFileSync("schema/schema.graphql", "utf8")));
const clients: Record<string, (url: string) => Promise<CachingClient>> = {
  "Apollo Client": startApolloClient,
  "urql's graphcache": startGraphcache,
  "urql's graphcache with the schema": (url) => startGraphcache(url, schema),
  Relay: startRelay,
};

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(async () => {
  removeProjects();
  await gateway.close();
});

describe.each(
  Object.entries(clients),
)("The list in the cache of %s, without key configuration", (_name, start) => {
  let client: CachingClient;
  const output = (["log", "info", "warn", "error"] as const).map((level) => jest.spyOn(console, level));
  const names = () => client.rows().map((row) => row?.username);
  const passwordOf = (name: string) => client.rows().find((row) => row?.username === name)?.password;

  beforeEach(async () => {
    jest.clearAllMocks();
    await gateway.reset();
    client = await start(`${gateway.origin}/graphql`);
    await until(() => names().length === 4);
  });
  afterEach(() => {
    client.close();
    expect(output.flatMap(({ mock }) => mock.calls)).toEqual([]);
  });

  it("shows a password that a mutation has set, and is not read again", async () => {
    const old = passwordOf("alice");
    await client.rotate("alice");
    await until(() => passwordOf("alice") !== old);
    const requested = (await gateway.upstreamRequests()).map(({ operation }) => operation);
    expect(requested.filter((operation) => operation === "list_sip")).toHaveLength(1);
  });

  it("shows a change that another query has read", async () => {
    await gateway.execute(
      'mutation { updateSipEndpoint(input: { username: "bob", password: "made-up" }) { username: __typename } }',
    );
    expect(passwordOf("bob")).not.toBe("made-up");
    await client.read("bob");
    await until(() => passwordOf("bob") === "made-up");
  });

  it("shows a new endpoint", async () => {
    await client.create("erin");
    await until(() => names().includes("erin"));
    expect(names().toSorted()).toEqual(["alice", "bob", "carol", "dave", "erin"]);
  });

  it("does not show an endpoint that was removed", async () => {
    await client.remove("bob");
    await until(() => names().length === 3);
    expect(names()).toEqual(["alice", "carol", "dave"]);
  });
});

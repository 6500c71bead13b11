import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parse, stringify } from "yaml";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { bearer, sha256 } from "../support/auth/api-keys.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { metricsOriginOf, scrape } from "../support/gateway/metrics.js";
import { killPrograms, startProgram } from "../support/program.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

const ALERTS = "ops/prometheus/alerts.yml";
const hasPrometheus = process.env.CI === "true" || spawnSync("promtool", ["--version"]).status === 0;
const describeWithPrometheus = hasPrometheus ? describe : describe.skip;
if (!hasPrometheus)
  process.stderr.write(
    "Skipped: the tests of the alert rules and of the dashboard need Prometheus (apt-get install prometheus).\n",
  );

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

const rules: readonly Rule[] = parse(readFileSync(ALERTS, "utf8")).groups.flatMap(
  (group: { readonly rules: readonly Rule[] }) => group.rules,
);
const { panels } = JSON.parse(readFileSync("ops/grafana/dashboard.json", "utf8")) as Dashboard;
/** The queries of the dashboard, and the expressions of the rules without their thresholds. */
const queries: readonly string[] = [
  ...panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "1m")),
  ),
  ...rules.map(({ expr }) => expr.replace(/\s(<|>|==) [\d.]+\s*$/, "")),
];

describe("docs/operations.md", () => {
  const docs = readFileSync("docs/operations.md", "utf8");

  it("has a section for each alert, which the alert names", () => {
    const [section = ""] = /^## Alerts$.*?(?=^## )/ms.exec(docs) ?? [];
    const headings = [...section.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual(rules.map(({ alert }) => alert));
    expect(rules.map(({ annotations }) => annotations.runbook)).toEqual(
      rules.map(({ alert }) => `docs/operations.md#${alert.toLowerCase()}`),
    );
  });
});

describeWithPrometheus("Prometheus", () => {
  const account = readEmulatorSettings({ EMULATOR_PORT: "0" });
  const keys = ["desk", "phone", "web", "greedy"];
  const entries = keys.map((key) => `${key}:${sha256(key)}:sip:read+sip:write\n`).join("");
  let directory: string;
  let emulator: Emulator;
  let gateway: BuiltGateway;
  let prometheus: string;
  let isLoading = true;
  let load: Promise<unknown>;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "prometheus-"));
    emulator = await startEmulator(account);
    writeFileSync(keysFile(), entries);
    gateway = await startBuiltGateway({
      PORT: "0",
      METRICS_PORT: "0",
      AUTH: "api-key",
      API_KEYS_FILE: keysFile(),
      PIOPIY_URL: emulator.url,
      PIOPIY_APP_ID: String(account.appId),
      PIOPIY_SECRET: account.secret,
      PIOPIY_MAX_CONCURRENCY: "2",
      BREAKER_RESET_MS: "100",
      MAX_COST: "1000000",
      RATE_LIMIT_PER_MINUTE: "20000",
      // Nothing listens at this address.
      REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    });
    load = causeEvents();
    prometheus = await startPrometheus();
  });
  afterAll(async () => {
    isLoading = false;
    await load;
    await killPrograms();
    await emulator?.close();
    rmSync(directory, { recursive: true });
  });

  const keysFile = () => join(directory, "api-keys");

  /** Starts a real Prometheus with the configuration of `ops`, which scrapes the gateway each second. Returns its origin. */
  async function startPrometheus(): Promise<string> {
    const config = parse(readFileSync("ops/prometheus/prometheus.yml", "utf8"));
    config.global = { scrape_interval: "1s", evaluation_interval: "1s" };
    config.rule_files = [resolve(ALERTS)];
    config.scrape_configs[0].static_configs[0].targets = [new URL(metricsOriginOf(gateway)).host];
    writeFileSync(join(directory, "prometheus.yml"), stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    startProgram(
      [
        "prometheus",
        `--config.file=${join(directory, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(directory, "data")}`,
        `--web.listen-address=${address}`,
      ],
      { PATH: process.env.PATH ?? "" },
    );
    const isReady = async () =>
      (await (await fetch(`http://${address}/-/ready`)).text()).includes("is Ready");
    await until(() => isReady().catch(() => false));
    return `http://${address}`;
  }

  /** Returns how often the log contains a text. */
  const countOf = (logged: string) => gateway.output.stdout.split(logged).length - 1;

  async function send(query: string, key: string): Promise<unknown> {
    const response = await fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key && bearer(key)) },
      body: JSON.stringify({ query }),
    });
    return response.json();
  }

  async function addFault(fault: object): Promise<void> {
    const response = await fetch(`${emulator.origin}/_emulator/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(fault),
    });
    await response.text();
  }

  /** Causes everything that the metrics count, again and again, since a rate needs a change between two scrapes. */
  async function causeEvents(): Promise<void> {
    const reads = Array.from({ length: 20 }, (_, n) => `r${n}: sipEndpoint(username: "user-${n}") { type }`);
    // The cost is more than the limit of a whole minute.
    const greedy = Array.from(
      { length: 64 },
      (_, n) => `l${n}: sipEndpoints(first: 100) { nodes { ...all } }`,
    );
    for (let round = 0; isLoading; round++) {
      // One client alone would exceed its rate limit.
      const key = keys[round % 3] ?? "";
      const create = (username: string) =>
        send(
          `mutation Create { createSipEndpoint(input: { username: "${username}" }) { userErrors { code } } }`,
          key,
        );
      await send(`query Team { ${reads.join(" ")} }`, key);
      await send("query Invalid { nothing }", key);
      // One write took effect, the next one is sent again, and the outcome of the last one is unknown.
      await addFault({ operation: "add_sip", kind: "lose-reply" });
      await create(`new-${round}`);
      await addFault({ operation: "add_sip", kind: "reset" });
      await create(`again-${round}`);
      await addFault({ operation: "add_sip", kind: "reset" });
      await addFault({ operation: "get_sip", username: `lost-${round}`, kind: "status", status: 404 });
      await create(`lost-${round}`);
      // The outage opens the circuit breaker.
      await addFault({ operation: "get_sip", kind: "status", status: 503, times: 12 });
      for (let n = 0; n < 12; n++) await send('query Team { sipEndpoint(username: "alice") { type } }', key);
      await send("{ __typename }", "");
      await send("{ __typename }", "made-up-key");
      await send(`query Greedy { ${greedy.join(" ")} } fragment all on SipEndpoint { type }`, "greedy");
      await (await fetch(`${gateway.origin}/unknown`)).text();
      const changes = countOf("a changed file is");
      writeFileSync(keysFile(), round % 2 === 0 ? "invalid" : entries);
      await until(() => countOf("a changed file is") > changes);
    }
  }

  /** Returns the data of a response of Prometheus's API, or throws its error. */
  async function ask<Data>(path: string): Promise<Data> {
    const response = await fetch(`${prometheus}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { data: Data; error?: string };
    if (error) throw new Error(`${path}: ${error}`);
    return data;
  }

  /** Returns the values that a query has now. */
  async function valuesOf(query: string): Promise<number[]> {
    const { result } = await ask<{ result: { value: [number, string] }[] }>(
      `query?${new URLSearchParams({ query })}`,
    );
    return result.map(({ value }) => Number(value[1]));
  }

  it("accepts the alert rules and its configuration", () => {
    for (const check of [
      ["check", "rules", ALERTS],
      ["check", "config", "ops/prometheus/prometheus.yml"],
    ]) {
      const { status, stdout, stderr } = spawnSync("promtool", check, { encoding: "utf8" });
      expect({ status, output: stdout + stderr }).toEqual({
        status: 0,
        output: expect.stringContaining("SUCCESS"),
      });
    }
  });

  it("finds data for each query of the dashboard and each alert rule", async () => {
    let empty: string[] = [];
    await until(async () => {
      const results = await Promise.all(
        queries.map(async (query) => ({ query, values: await valuesOf(query) })),
      );
      empty = results.filter(({ values }) => !values.some(Number.isFinite)).map(({ query }) => query);
      return empty.length === 0;
    }).catch(() => {});
    expect(empty).toEqual([]);
  });

  it("evaluates the alert rules, which report what the load causes", async () => {
    const active = async () => {
      const { groups } = await ask<{
        groups: { rules: { name: string; state: string; health: string }[] }[];
      }>("rules");
      const evaluated = groups.flatMap((group) => group.rules);
      expect(evaluated.filter(({ health }) => health === "err")).toEqual([]);
      return evaluated.filter(({ state }) => state !== "inactive").map(({ name }) => name);
    };
    const expected = ["OperationsFailing", "PiopiyFailing", "OutcomeUnknown", "RedisDown", "ReloadFailed"];
    await until(async () => {
      const found = await active();
      return expected.every((name) => found.includes(name));
    });
  });

  it("has the metrics that docs/operations.md lists, with their labels", async () => {
    const rows = readFileSync("docs/operations.md", "utf8").matchAll(
      /^\| `((?:graphql|gateway|piopiy)_\w+)` \|(.*?)\|/gm,
    );
    const documented = [...rows].map(([, name = "", labels = ""]) => [name, labels.replaceAll(/[`\s]/g, "")]);
    const found = new Map<string, string>();
    for (const { name, labels } of await scrape(gateway)) {
      const { le, ...own } = labels;
      if (/^(graphql|gateway|piopiy)_/.test(name))
        found.set(name.replace(/_(bucket|sum|count)$/, ""), Object.keys(own).join());
    }
    expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(found));
  });
});

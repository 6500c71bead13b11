import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { scrape } from "../support/gateway/metrics.js";
import { until } from "../support/until.js";

const MAX_NAMES = 200;
const LONG = "L".repeat(100);

let directory: string;
let gateway: BuiltGateway;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "operation-names-"));
  trust("query Trusted { __typename } query AlsoTrusted { __typename }");
  gateway = await startBuiltGateway({
    PORT: "0",
    METRICS_PORT: "0",
    METRICS_OPERATIONS: "Configured",
    AUTH: "none",
    PIOPIY_URL: "emulator",
    RATE_LIMIT_PER_MINUTE: "0",
    TRUSTED_DOCUMENTS: "log",
    TRUSTED_DOCUMENTS_FILE: join(directory, "documents.json"),
  });
});
afterEach(async () => {
  gateway.child.kill("SIGKILL");
  await gateway.end;
  rmSync(directory, { recursive: true });
});

function trust(document: string): void {
  writeFileSync(join(directory, "documents.json"), JSON.stringify({ [document.length]: document }));
}

/** Executes a query with each of these names. An undefined name is an anonymous query. */
async function execute(...names: readonly (string | undefined)[]): Promise<void> {
  for (const name of names) {
    await fetch(`${gateway.origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: name === undefined ? "{ __typename }" : `query ${name} { __typename }` }),
    });
  }
}

/** Returns the number of operations by the name in the metrics. */
async function operations(): Promise<Record<string, number>> {
  const samples = await scrape(gateway);
  return Object.fromEntries(
    samples
      .filter(({ name }) => name === "graphql_operation_duration_seconds_count")
      .map(({ labels, value }) => [labels.graphql_operation_name, value]),
  );
}

it("The metrics have the names of METRICS_OPERATIONS, of trusted documents, then the first 200 in all, then other", async () => {
  trust("query Reloaded { __typename }");
  await until(() => gateway.output.stdout.includes("a changed file is in use"));
  const known = ["Configured", "Trusted", "AlsoTrusted", "Reloaded"];
  const first = Array.from({ length: MAX_NAMES - known.length - 1 }, (_, index) => `First${index}`);
  await execute(undefined, LONG, ...first, "Late", "Later", ...known, "First0");
  expect(await operations()).toEqual({
    ...Object.fromEntries([...known, ...first].map((name) => [name, 1])),
    First0: 2,
    [`${LONG.slice(0, 59)}…`]: 1,
    anonymous: 1,
    other: 2,
  });
});

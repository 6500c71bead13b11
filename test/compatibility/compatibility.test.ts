import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Supergraph, startSupergraph } from "./supergraph.js";

const require = createRequire(import.meta.url);
const manifest = require.resolve("@apollo/federation-subgraph-compatibility-tests/package.json");
const suite = dirname(manifest);
/** The suite's own jest, of another version. */
const jest = createRequire(manifest).resolve("jest/bin/jest");

/** The output of jest with `--json`. */
interface Report {
  readonly testResults: readonly {
    /** The reason why the file failed, also when none of its tests could run. */
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

let supergraph: Supergraph;
const stop = new AbortController();
beforeAll(async () => {
  supergraph = await startSupergraph(suite);
});
afterAll(async () => {
  stop.abort();
  await supergraph?.close();
});

describe("A subgraph made by buildSubgraph", () => {
  it("passes the 23 tests of Apollo's subgraph compatibility suite", async () => {
    const { testResults } = await runSuite(supergraph.productsUrl);
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const named = (passed: boolean) =>
      tests.filter(({ status }) => (status === "passed") === passed).map(({ fullName }) => fullName);
    const messages = testResults.map(({ message }) => message).filter((message) => message !== "");
    expect({ failed: named(false), why: messages }).toEqual({ failed: [], why: [] });
    expect(named(true)).toHaveLength(23);
  });
});

/** Runs the suite's tests in one process, which ends with this test. */
async function runSuite(productsUrl: string): Promise<Report> {
  const config = join(suite, "federation-jest.config.js");
  const options = ["--ci", "--json", "--runInBand", "--no-watchman", "--config", config];
  const child = spawn(process.execPath, [jest, "dist/tests", ...options], {
    env: { PRODUCTS_URL: productsUrl },
    signal: stop.signal,
  });
  child.on("error", () => {});
  const [report, complaint] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (report === "") throw new Error(`The suite did not run: ${complaint}`);
  return JSON.parse(report);
}

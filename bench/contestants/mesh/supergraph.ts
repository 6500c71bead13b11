import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { benchFile } from "../../bench-file.js";

export const SUPERGRAPH = benchFile("dist/supergraph.graphql");

/** Writes the supergraph that Hive Gateway serves. It runs before the benchmark, so its time is not measured. */
export async function composeSupergraph(environment: Readonly<Record<string, string>>): Promise<void> {
  const args = [
    benchFile("node_modules/@graphql-mesh/compose-cli/esm/bin.js"),
    ...["--config-path", benchFile("dist/contestants/mesh/compose.config.js"), "--output", SUPERGRAPH],
  ];
  await promisify(execFile)(process.execPath, args, {
    env: { PATH: process.env.PATH, NODE_ENV: "production", ...environment },
    timeout: 60_000,
  });
}

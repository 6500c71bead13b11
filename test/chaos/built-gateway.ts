import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { until } from "../support/until.js";

/** The built program in a process of its own. */
export interface BuiltGateway {
  readonly child: ChildProcess;
  /** Where it listens, without a path. */
  readonly origin: string;
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Its exit code, or the signal that ended it. */
  readonly end: Promise<unknown>;
}

/** Starts `node dist/main.js` with these variables and no others. */
export async function startBuiltGateway(env: Record<string, string>): Promise<BuiltGateway> {
  const child = spawn(process.execPath, [join("dist", "main.js")], { env });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    output.stdout += data;
  });
  child.stderr.on("data", (data) => {
    output.stderr += data;
  });
  const end = once(child, "close").then(([code, signal]) => code ?? signal);
  await until(() => /GraphQL .*\n/.test(output.stdout) || child.exitCode !== null).catch(() => {});
  const origin = /GraphQL +(\S+)\/graphql/.exec(output.stdout)?.[1];
  if (!origin) {
    child.kill("SIGKILL");
    throw new Error(`the gateway did not start:\n${output.stderr}`);
  }
  return { child, origin, output, end };
}

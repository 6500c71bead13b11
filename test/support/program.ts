import { type ChildProcess, type SpawnOptionsWithoutStdio, spawn } from "node:child_process";
import { once } from "node:events";

/** Program of the project in its own process. */
export interface Program {
  readonly child: ChildProcess;
  /** Its output so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Resolves with its exit code, or with the signal that ended it. */
  readonly end: Promise<unknown>;
}

const started: Program[] = [];

/** Starts a command with these environment variables and no others; `killPrograms` kills it. */
export function startProgram(
  [command = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  options: Omit<SpawnOptionsWithoutStdio, "env"> = {},
): Program {
  const child = spawn(command, args, { ...options, env });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    output.stdout += data;
  });
  child.stderr.on("data", (data) => {
    output.stderr += data;
  });
  const program = { child, output, end: once(child, "close").then(([code, signal]) => code ?? signal) };
  started.push(program);
  return program;
}

/** Kills all programs of `startProgram`, and waits until they have exited. */
export async function killPrograms(): Promise<void> {
  await Promise.all(
    started.splice(0).map(({ child, end }) => {
      child.kill("SIGKILL");
      return end;
    }),
  );
}

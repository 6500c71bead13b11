import { type ChildProcess, type SpawnOptionsWithoutStdio, spawn } from "node:child_process";
import { once } from "node:events";

/** A program of the project in a process of its own. */
export interface Program {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Its exit code, or the signal that ended it. */
  readonly end: Promise<unknown>;
}

const started: Program[] = [];

/** Starts a command with these variables and no others; `killPrograms` ends it. */
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

/** Kills all that `startProgram` has started, and waits for its end. */
export async function killPrograms(): Promise<void> {
  await Promise.all(
    started.splice(0).map(({ child, end }) => {
      child.kill("SIGKILL");
      return end;
    }),
  );
}

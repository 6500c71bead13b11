import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { type Program, startProgram } from "./program.js";

const PROGRAM = resolve("dist/cli/main.js");

export interface CommandOptions {
  /** Environment variables of the command. */
  readonly env?: Readonly<Record<string, string>>;
  /** The standard input. */
  readonly input?: string | Buffer;
  readonly cwd?: string;
}

export interface CommandResult {
  readonly exitCode: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command line, as `npm run sip` does; `killPrograms` kills it. */
export function startCommand(
  args: readonly string[],
  { env = {}, input = "", cwd = "." }: CommandOptions = {},
): Program {
  const program = startProgram([process.execPath, PROGRAM, ...args], env, { cwd });
  // The command may end before it has read its input.
  program.child.stdin?.on("error", () => {});
  program.child.stdin?.end(input);
  return program;
}

/** Runs the built command line to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { output, end } = startCommand(args, options);
  return { exitCode: await end, ...output };
}

/**
 * Starts the built command line in a pseudo terminal. Its output is in `stdout`. Text that is written to its standard input is
 * typed at the terminal.
 */
export function startInTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Program {
  const quoted = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(" ");
  const variables = { PATH: process.env.PATH ?? "", TERM: "xterm", ...env };
  return startProgram(["script", "--quiet", "--return", "--command", quoted, "/dev/null"], variables);
}

/** Creates a directory for the files of a test. */
export function createDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "command-line-"));
}

/** Creates a named pipe: a file that is not regular, and whose mode a faulty command may change without harm. */
export async function createPipe(path: string): Promise<void> {
  await promisify(execFile)("mkfifo", [path]);
}

import { closeSync, fchmodSync, openSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { formatValue } from "../format-value.js";
import { CliError, EXIT, type ExitCode, reasonOf } from "./cli-error.js";

export const OWNER_ONLY = 0o600;

/** Writes a file that only its owner can read. Refuses to overwrite a file unless `isForced`. */
export function writePrivateFile(path: string, content: string | Buffer, isForced = false): void {
  if (isForced) targetOf(path);
  try {
    const descriptor = openSync(path, isForced ? "w" : "wx", OWNER_ONLY);
    fchmodSync(descriptor, OWNER_ONLY);
    writeFileSync(descriptor, content);
    closeSync(descriptor);
  } catch (error) {
    throw reasonOf(error) === "EEXIST" ? existsError(path) : writeError(path, error);
  }
}

/** Returns the path after links. Refuses devices, pipes and directories. */
export function targetOf(path: string): string {
  try {
    const target = realpathSync(path);
    if (statSync(target).isFile()) return target;
  } catch (error) {
    if (reasonOf(error) === "ENOENT") return path;
    throw writeError(path, error);
  }
  throw new CliError(EXIT.usage, `${formatValue(path)} is not a regular file. Name a new file.`);
}

/** The error for a file that must not be overwritten. */
export function existsError(path: string): CliError {
  return new CliError(
    EXIT.usage,
    `The file ${formatValue(path)} exists. Name a new file, or overwrite this one with --force.`,
  );
}

/** The error for a file that cannot be written. */
export function writeError(path: string, error: unknown, exitCode: ExitCode = EXIT.usage): CliError {
  return new CliError(exitCode, `The file ${formatValue(path)} cannot be written (${reasonOf(error)}).`);
}

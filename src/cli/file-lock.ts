import { readlinkSync, rmSync, symlinkSync } from "node:fs";
import { formatValue } from "../format-value.js";
import { CliError, EXIT, reasonOf } from "./cli-error.js";

/**
 * Locks a file against other commands on this machine, and returns a function that releases the lock. The lock is a symbolic link
 * to the id of the process, because a link is created together with its content. The lock of a process that has ended is
 * replaced.
 */
export function lockFile(path: string): () => void {
  const link = `${path}.lock`;
  for (;;) {
    try {
      symlinkSync(String(process.pid), link);
      return () => rmSync(link, { force: true });
    } catch (error) {
      if (reasonOf(error) !== "EEXIST") {
        throw new CliError(
          EXIT.usage,
          `The file ${formatValue(path)} cannot be written (${reasonOf(error)}).`,
        );
      }
    }
    const owner = ownerOf(link);
    if (owner !== undefined && isRunning(owner)) {
      throw new CliError(
        EXIT.usage,
        `Another command writes the file ${formatValue(path)} (process ${owner}). Name another file, or wait until it ends. ` +
          `If this process is no sip command, delete ${formatValue(link)}.`,
      );
    }
    rmSync(link, { force: true });
  }
}

/** Returns the process that has the lock; undefined if the lock has been released, or is no link. */
function ownerOf(link: string): number | undefined {
  try {
    return Number(readlinkSync(link)) || undefined;
  } catch {
    return undefined;
  }
}

function isRunning(owner: number): boolean {
  // In a container that has started again, process ids repeat.
  if (owner === process.pid) return false;
  try {
    return process.kill(owner, 0);
  } catch (error) {
    return reasonOf(error) === "EPERM";
  }
}

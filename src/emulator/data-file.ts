import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { isNativeError } from "node:util/types";
import { z } from "zod";
import { endpointList, type StoredEndpoint } from "./endpoints.js";
import { EmulatorError } from "./settings.js";

const contents = z.strictObject({ endpoints: endpointList });

/** Keeps the endpoints between starts, in a file that only its owner may read, since it holds passwords. */
export class DataFile {
  constructor(private readonly path: string) {}

  /** Returns the endpoints, or undefined when there is no file yet. A file that is not understood is never touched. */
  read(): readonly StoredEndpoint[] | undefined {
    if (!existsSync(this.path)) return undefined;
    const { success, data, error } = contents.safeParse(this.readJson());
    if (success) return data.endpoints;
    const { path = [], message } = error.issues[0] ?? {};
    throw this.unusable(`${path.join(".") || "the document"}: ${message}`);
  }

  /** Replaces the file in one step: a reader sees the old contents or the new, also after a loss of power. */
  write(endpoints: readonly StoredEndpoint[]): void {
    const temporary = `${this.path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, `${JSON.stringify({ endpoints }, null, 2)}\n`, { mode: 0o600, flush: true });
      renameSync(temporary, this.path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw new EmulatorError(
        `The file that EMULATOR_DATA names, ${this.path}, cannot be written (${String(error)}).`,
      );
    }
    flushDirectory(dirname(this.path));
  }

  private readJson(): unknown {
    try {
      return JSON.parse(readFileSync(this.path, "utf8"));
    } catch (error) {
      // The parser's own message is left out, since it may quote a password.
      const isSystemError = isNativeError(error) && "code" in error;
      throw this.unusable(isSystemError ? String(error) : "it is not JSON");
    }
  }

  private unusable(reason: string): EmulatorError {
    return new EmulatorError(
      `The file that EMULATOR_DATA names, ${this.path}, cannot be used (${reason}). ` +
        'It must hold {"endpoints": [...]} as the emulator writes it. Mend it, move it away, or name another; ' +
        "it was not touched.",
    );
  }
}

/** Makes a rename durable, where the file system can flush a directory. */
function flushDirectory(directory: string): void {
  try {
    const descriptor = openSync(directory, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {}
}

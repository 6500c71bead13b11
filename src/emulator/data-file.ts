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

/** Stores the endpoints between starts, in a file that only its owner can read, since it contains passwords. */
export class DataFile {
  constructor(private readonly path: string) {}

  /** Returns the endpoints, or undefined when there is no file yet. An invalid file is never changed. */
  read(): readonly StoredEndpoint[] | undefined {
    if (!existsSync(this.path)) return undefined;
    const { success, data, error } = contents.safeParse(this.readJson());
    if (success) return data.endpoints;
    const { path = [], message } = error.issues[0] ?? {};
    throw this.unusable(`${path.join(".") || "the document"}: ${message}`);
  }

  /** Replaces the file atomically: a reader sees the old or the new contents, even after a power failure. */
  write(endpoints: readonly StoredEndpoint[]): void {
    const temporary = `${this.path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, `${JSON.stringify({ endpoints }, null, 2)}\n`, { mode: 0o600, flush: true });
      renameSync(temporary, this.path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw new EmulatorError(`The EMULATOR_DATA file ${this.path} cannot be written (${String(error)}).`);
    }
    flushDirectory(dirname(this.path));
  }

  private readJson(): unknown {
    try {
      return JSON.parse(readFileSync(this.path, "utf8"));
    } catch (error) {
      // The message of the parser is left out, since it may contain a password.
      const isSystemError = isNativeError(error) && "code" in error;
      throw this.unusable(isSystemError ? String(error) : "it is not JSON");
    }
  }

  private unusable(reason: string): EmulatorError {
    return new EmulatorError(
      `The EMULATOR_DATA file ${this.path} cannot be used (${reason}). ` +
        'It must contain {"endpoints": [...]} as the emulator writes it. Fix it, move it away, or set another file. ' +
        "The emulator did not change it.",
    );
  }
}

/** Makes a rename durable, if the file system can flush a directory. */
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

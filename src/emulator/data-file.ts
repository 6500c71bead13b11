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
import { z } from "zod";
import { areDistinct, type Endpoint, endpointSchema } from "./endpoints.js";
import { EmulatorError } from "./settings.js";

const contents = z.strictObject({
  endpoints: z.array(endpointSchema).refine(areDistinct, "a username occurs twice"),
});

/** The file that keeps the endpoints between starts. It holds passwords, so only its owner may read it. */
export class DataFile {
  constructor(private readonly path: string) {}

  /** The endpoints, or undefined when there is no file yet. A file that is not understood is never touched. */
  read(): readonly Endpoint[] | undefined {
    const text = this.readText();
    if (text === undefined) return undefined;
    const { success, data, error } = contents.safeParse(this.parse(text));
    if (success) return data.endpoints;
    const { path = [], message } = error.issues[0] ?? {};
    throw this.refused(`${path.join(".") || "the document"}: ${message}`);
  }

  /** Replaces the file in one step: a reader sees the old contents or the new, also after a loss of power. */
  write(endpoints: readonly Endpoint[]): void {
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
    flushFolder(dirname(this.path));
  }

  private readText(): string | undefined {
    if (!existsSync(this.path)) return undefined;
    try {
      return readFileSync(this.path, "utf8");
    } catch (error) {
      throw this.refused(String(error));
    }
  }

  /** The parser's own message is left out, since it may quote a password. */
  private parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.refused("it is not JSON");
    }
  }

  private refused(reason: string): EmulatorError {
    return new EmulatorError(
      `The file that EMULATOR_DATA names, ${this.path}, cannot be used (${reason}). ` +
        'It must hold {"endpoints": [...]} as the emulator writes it. Mend it, move it away, or name another; ' +
        "it was not touched.",
    );
  }
}

/** Makes a rename last. Where a folder cannot be flushed, the file system has to see to that. */
function flushFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {}
}

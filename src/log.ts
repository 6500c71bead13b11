import { constants, fstatSync, openSync, writeSync } from "node:fs";
import type { LoggerOptions } from "pino";
import { describeError, isError } from "./describe-error.js";

const STDOUT = 1;
const MAX_UNWRITTEN_BYTES = 1024 * 1024;
const RETRY_MS = 10;
/** How long the end of the process may wait for a reader that is slow. */
const END_MS = 1000;

/**
 * Writes log entries to standard output. While that fails, as on a full disk, to a closed pipe or to one that nobody reads,
 * 1 MiB of entries is buffered; further ones are dropped and counted. pino's own destination writes to a full disk in an
 * endless loop.
 */
export class LogDestination {
  readonly #descriptor = openStdout();
  readonly #reportDropped: (count: number) => void;
  readonly #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param reportDropped logs how many entries were dropped, once all that were buffered are written */
  constructor(reportDropped: (count: number) => void) {
    this.#reportDropped = reportDropped;
    process.on("exit", () => this.#end());
  }

  write(line: string): void {
    const entry = Buffer.from(line);
    if (this.#unwrittenBytes + entry.length > MAX_UNWRITTEN_BYTES) {
      this.#dropped++;
      return;
    }
    this.#unwritten.push(entry);
    this.#unwrittenBytes += entry.length;
    if (!this.#timer) this.#writeAll();
  }

  /** Writes what is buffered. Returns the error code of the write that failed; later it is tried again. */
  #writeAll(): string | undefined {
    this.#timer = undefined;
    try {
      for (let entry = this.#unwritten[0]; entry; entry = this.#unwritten[0]) {
        const written = writeSync(this.#descriptor, entry);
        this.#unwrittenBytes -= written;
        if (written < entry.length) this.#unwritten[0] = entry.subarray(written);
        else this.#unwritten.shift();
      }
    } catch (error) {
      this.#timer = setTimeout(() => this.#writeAll(), RETRY_MS).unref();
      return (error as NodeJS.ErrnoException).code;
    }
    const count = this.#dropped;
    this.#dropped = 0;
    if (count > 0) this.#reportDropped(count);
    return undefined;
  }

  #end(): void {
    const deadline = performance.now() + END_MS;
    while (this.#writeAll() === "EAGAIN" && performance.now() < deadline) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
  }
}

/** Returns a descriptor of standard output whose writes fail where they would block, as far as the system has one. */
function openStdout(): number {
  // At its first use, Node makes a pipe or a socket non-blocking, until any process that shares it ends.
  void process.stdout;
  try {
    if (fstatSync(STDOUT).isFIFO())
      return openSync("/proc/self/fd/1", constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Standard output is closed, or belongs to another user.
  }
  return STDOUT;
}

/**
 * The options of every logger. Whatever is logged, an error in it is shown without its message, also where a library
 * passes the error alone.
 */
export function loggerOptions(level: string): LoggerOptions {
  return {
    level,
    // Bindings of child loggers are serialized, but not formatted.
    serializers: { err: withoutMessage },
    formatters: {
      log: (entry) =>
        Object.fromEntries(
          Object.entries(entry).map(([key, value]) => [
            key,
            key === "err" ? describeError(value) : withoutMessage(value),
          ]),
        ),
    },
    hooks: {
      logMethod([first, ...more], method) {
        const entry: unknown = isError(first) ? { err: first } : first;
        const rest = more.map((value: unknown) => (isError(value) ? describeError(value).type : value));
        // pino takes the message of the error as the text of an entry that has none.
        if (rest.length === 0 && Object(entry).err) rest.push("an unexpected error");
        method.apply(this, [entry, ...rest] as Parameters<typeof method>);
      },
    },
  };
}

function withoutMessage(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMessage);
  return isError(value) ? describeError(value) : value;
}

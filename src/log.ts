import { constants, fstatSync, openSync, writeSync } from "node:fs";
import type { LoggerOptions } from "pino";
import { describeError, isError } from "./describe-error.js";

const STDOUT = 1;
const MAX_UNWRITTEN_BYTES = 1024 * 1024;
const RETRY_MS = 10;
/** Milliseconds that the exit of the process may wait for a slow reader. */
const END_MS = 1000;

/**
 * Writes log entries to standard output. While that fails, as on a full disk, to a closed pipe or to a pipe without a reader,
 * 1 MiB of entries is buffered. Further entries are dropped and counted. pino's own destination would retry in an endless loop
 * on a full disk.
 */
export class LogDestination {
  readonly #descriptor = openStdout();
  readonly #reportDropped: (count: number) => void;
  readonly #unwritten: Buffer[] = [];
  #unwrittenBytes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #format: (line: string) => string;

  /**
   * @param reportDropped logs the number of dropped entries, after all buffered entries are written
   * @param format formats an entry, which is a line of JSON
   */
  constructor(reportDropped: (count: number) => void, format: (line: string) => string = (line) => line) {
    this.#reportDropped = reportDropped;
    this.#format = format;
    process.on("exit", () => this.#end());
  }

  write(line: string): void {
    const entry = Buffer.from(this.#format(line));
    if (this.#unwrittenBytes + entry.length > MAX_UNWRITTEN_BYTES) {
      this.#dropped++;
      return;
    }
    this.#unwritten.push(entry);
    this.#unwrittenBytes += entry.length;
    if (!this.#timer) this.#writeAll();
  }

  /** Writes the buffered entries. If a write fails, returns its error code and tries again later. */
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

/** Returns a descriptor of standard output. If it is a pipe, writes fail instead of blocking, where the system supports that. */
function openStdout(): number {
  // On first use, Node.js makes a pipe or a socket non-blocking, until a process that shares it exits.
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
 * Returns the options of all loggers. An error is always logged without its message, because messages may contain values of
 * clients. This includes errors that a library logs.
 */
export function loggerOptions(level: string): LoggerOptions {
  return {
    level,
    // pino applies serializers, but no formatters, to the bindings of child loggers.
    serializers: { err: withoutMessage },
    formatters: {
      log: (entry) => {
        // Most entries have only texts and numbers, and a copy of each entry would take time.
        let isPlain = true;
        for (const key in entry) if (key === "err" || typeof entry[key] === "object") isPlain = false;
        if (isPlain) return entry;
        return Object.fromEntries(
          Object.entries(entry).map(([key, value]) => [
            key,
            key === "err" ? describeError(value) : withoutMessage(value),
          ]),
        );
      },
    },
    hooks: {
      logMethod([first, ...more], method) {
        const entry: unknown = isError(first) ? { err: first } : first;
        const rest = more.map((value: unknown) => (isError(value) ? describeError(value).type : value));
        // Without a text, pino would log the message of the error.
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

import type { LoggerOptions } from "pino";
import { describeError, isError } from "./describe-error.js";

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

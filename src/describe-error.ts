import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { isNativeError } from "node:util/types";

/** The parts of an error that are logged. The message is not one of them, since it may contain a secret. */
export interface ErrorDescription {
  /** The class name. */
  readonly type: string;
  /** The error code, such as ECONNREFUSED or ERR_JWKS_TIMEOUT. */
  readonly code?: string | undefined;
  /** Stack frames in files of `src` and `node_modules`, innermost first. */
  readonly stack?: readonly string[] | undefined;
  readonly cause?: ErrorDescription | undefined;
}

const MAX_CAUSES = 5;
const MAX_FRAMES = 15;
const MAX_FRAME_LENGTH = 300;

/**
 * Describes an error and its causes for the log, without their messages: libraries write values into messages, and
 * a value may be a password.
 */
export function describeError(error: unknown, causes = MAX_CAUSES): ErrorDescription {
  if (!isError(error)) return { type: typeof error };
  const { cause, originalError } = error as { cause?: unknown; originalError?: unknown };
  const inner = originalError ?? cause;
  return {
    type: typeOf(error),
    code: codeOf(error),
    stack: framesOf(error)?.map(originalFrame),
    cause: inner === undefined || causes === 0 ? undefined : describeError(inner, causes - 1),
  };
}

/** Returns a short reason for the log: the code of the error, the first word of a Redis reply, or the class name. */
export function reasonOf(error: unknown): string {
  if (!isError(error)) return typeof error;
  const [word = ""] = error.message.slice(0, 30).split(" ", 1);
  return codeOf(error) ?? (/^[A-Z]{3,20}$/.test(word) ? word : typeOf(error));
}

/** Returns whether a value is an error, even if it was created in another JavaScript realm. */
export function isError(value: unknown): value is Error {
  return isNativeError(value) || value instanceof Error;
}

function typeOf(error: Error): string {
  return identifier(error.constructor?.name) ?? "Error";
}

function codeOf(error: Error): string | undefined {
  return identifier((error as { code?: unknown }).code);
}

function identifier(text: unknown): string | undefined {
  return typeof text === "string" && /^\w{1,60}$/.test(text) ? text : undefined;
}

/**
 * Returns the frames of a stack. A stack starts with the message, which may contain lines that look like frames. So undefined
 * is returned if the stack does not start with the current message, for instance because the message was changed.
 */
function framesOf({ stack, message }: Error): readonly string[] | undefined {
  if (typeof stack !== "string" || typeof message !== "string") return undefined;
  const start = message === "" ? stack.indexOf("\n") : stack.indexOf(message);
  const head = stack.slice(0, Math.min(start, 100));
  const end = message === "" ? start : start + message.length;
  if (start < 0 || !/^[\w$.]+( \[\w+\])?(: )?$/.test(head) || !stack.startsWith("\n    at ", end)) {
    return undefined;
  }
  const lines = stack.slice(end + 1, end + MAX_FRAMES * MAX_FRAME_LENGTH).split("\n", MAX_FRAMES);
  // Some libraries append the stack of another error, including its message.
  const other = lines.findIndex((line) => !line.startsWith("    at "));
  return lines.slice(0, other < 0 ? undefined : other).map((line) => line.trim().slice(0, MAX_FRAME_LENGTH));
}

/** The source maps of built files, by URL. */
const sourceMaps = new Map<string, SourceMap | undefined>();

/**
 * Maps a frame of a built file to its source file. With `--enable-source-maps`, Node does this for every stack, even if it is not
 * logged. Starts and errors then take a quarter more time.
 */
function originalFrame(frame: string): string {
  return frame.replace(
    /(file:\S+):(\d+):(\d+)(?=\)?$)/,
    (place, url: string, line: string, column: string) => {
      if (!sourceMaps.has(url)) sourceMaps.set(url, readSourceMap(url));
      const origin = sourceMaps.get(url)?.findOrigin(Number(line), Number(column));
      if (!origin || !("fileName" in origin)) return place;
      return `${origin.fileName.replace(/^(\.\.\/)+/, "")}:${origin.lineNumber}:${origin.columnNumber}`;
    },
  );
}

function readSourceMap(url: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(new URL(`${url}.map`), "utf8")));
  } catch {
    // Only built files have a source map.
    return undefined;
  }
}

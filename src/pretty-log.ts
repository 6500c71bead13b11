import { isatty } from "node:tty";
import { prettyFactory } from "pino-pretty";

/** Formats a log entry, a line of JSON, as one line for a person. */
export const formatEntry: (line: string) => string = prettyFactory({
  colorize: isatty(1),
  ignore: "pid,hostname",
  singleLine: true,
  translateTime: "SYS:HH:MM:ss",
});

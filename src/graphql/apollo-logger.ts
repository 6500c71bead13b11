import type { FastifyBaseLogger } from "fastify";
import { isError } from "../describe-error.js";

const TEXT = "Apollo Server reports a problem";

/** A logger for Apollo Server, whose texts hold the messages of errors: it logs that there is a problem, and its class. */
export function apolloLogger(log: FastifyBaseLogger) {
  const writer = (level: "debug" | "info" | "warn" | "error") => (problem: unknown) => {
    if (isError(problem)) log[level]({ err: problem }, TEXT);
    else log[level](TEXT);
  };
  return { debug: writer("debug"), info: writer("info"), warn: writer("warn"), error: writer("error") };
}

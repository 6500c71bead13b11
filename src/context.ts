import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from "fastify";
import type { Config } from "./config.js";
import { Budget } from "./piopiy/budget.js";
import type { PiopiyClient } from "./piopiy/client.js";
import { PiopiyLoader } from "./piopiy/loader.js";

/** What one GraphQL operation may use. */
export interface Context {
  readonly requestId: string;
  readonly log: FastifyBaseLogger;
  readonly piopiy: PiopiyLoader;
  readonly pcmoTargetsKey: "call" | "connect";
}

/** Makes the context of one operation. When the connection closes before the answer, its upstream reads end. */
export function createContext(
  { deadlineMs, pcmoTargetsKey }: Config,
  client: PiopiyClient,
  request: FastifyRequest,
  reply: FastifyReply,
): Context {
  const budget = new Budget(deadlineMs);
  reply.raw.once("close", () => {
    if (reply.raw.writableFinished) budget.close();
    else budget.abandon();
  });
  return {
    requestId: request.id,
    log: request.log,
    piopiy: new PiopiyLoader(client, budget),
    pcmoTargetsKey,
  };
}

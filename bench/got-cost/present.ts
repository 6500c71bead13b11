import { Agent } from "node:http";
import type { ExtendOptions, HandlerFunction } from "got";

export const MAX_REPLY_BYTES = 1_000_000;

export const headers = {
  "content-type": "application/json",
  accept: "application/json",
  "user-agent": "piopiy-graphql-gateway",
};

const agent = { http: new Agent({ keepAlive: true }) };

export function keptAlive(): { agent: { http: Agent } } {
  return { agent };
}

/** Has a request made with three options instead of got's thirty. */
const useThree: HandlerFunction = (options, next) => {
  options.createNativeRequestOptions = () => {
    const three = { method: options.method, headers: options.headers, agent: agent.http };
    return three as ReturnType<typeof options.createNativeRequestOptions>;
  };
  return next(options);
};

export type Defaults = Omit<ExtendOptions, "isStream">;

/** How this gateway's client sets its instance of got up, once. */
export function presentDefaults(): Defaults {
  return {
    agent,
    method: "POST",
    headers,
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    handlers: [useThree],
  };
}

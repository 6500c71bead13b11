import { Agent } from "node:http";
import type { ExtendOptions } from "got";

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

/** How this gateway's client sets its instance of got up, once. */
export function presentDefaults(): ExtendOptions {
  return { agent, headers, followRedirect: false, retry: { limit: 0 }, throwHttpErrors: false };
}

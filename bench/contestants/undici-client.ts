import { Pool } from "undici";
import { type Endpoint, readEndpoint, type UpstreamEndpoint, type UpstreamPage } from "./piopiy.js";
import { settings } from "./settings.js";

const { origin, pathname } = new URL(settings.upstreamUrl);
const pool = new Pool(origin, { connections: settings.maxConcurrency });

/** Sends one upstream request and returns the parsed response, also when it is an error. */
export async function post<Reply>(operation: string, parameters: object): Promise<Reply> {
  const { body } = await pool.request({
    method: "POST",
    path: pathname + operation,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ ...settings.account, ...parameters }),
  });
  return (await body.json()) as Reply;
}

export async function getSip(username: string): Promise<Endpoint | null> {
  return readEndpoint(await post<UpstreamEndpoint>("get_sip", { username }));
}

export function listSip(page: number): Promise<UpstreamPage> {
  return post<UpstreamPage>("list_sip", { page });
}

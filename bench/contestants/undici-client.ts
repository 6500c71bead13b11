import { Pool } from "undici";
import { type Endpoint, readEndpoint, type UpstreamEndpoint, type UpstreamPage } from "./piopiy.js";
import { settings } from "./settings.js";

const { origin, pathname } = new URL(settings.upstreamUrl);
const pool = new Pool(origin, { connections: settings.maxConcurrency });

/** One call to PIOPIY: the parsed answer, whatever it says. */
export async function call<Answer>(operation: string, parameters: object): Promise<Answer> {
  const { body } = await pool.request({
    method: "POST",
    path: pathname + operation,
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ ...settings.account, ...parameters }),
  });
  return (await body.json()) as Answer;
}

export async function getSip(username: string): Promise<Endpoint | null> {
  return readEndpoint(await call<UpstreamEndpoint>("get_sip", { username }));
}

export function listSip(page: number): Promise<UpstreamPage> {
  return call<UpstreamPage>("list_sip", { page });
}

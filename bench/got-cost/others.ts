import { request } from "node:http";
import { Pool } from "undici";
import { headers, keptAlive } from "./present.js";
import type { Post } from "./variants.js";

/** What the same call costs with undici. */
export function undiciPost(url: string): Post {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin);
  return async (body) => {
    const reply = await pool.request({ path: pathname, method: "POST", headers, body });
    return Buffer.from(await reply.body.arrayBuffer());
  };
}

/** What it costs with Node's own client, which got is built on. */
export function nodePost(url: string): Post {
  const agent = keptAlive().agent.http;
  return (body) =>
    new Promise((resolve, reject) => {
      const length = { "content-length": Buffer.byteLength(body) };
      const asked = request(url, { method: "POST", agent, headers: { ...headers, ...length } }, (reply) => {
        const parts: Buffer[] = [];
        reply.on("data", (part: Buffer) => parts.push(part));
        reply.once("end", () => resolve(Buffer.concat(parts)));
      });
      asked.once("error", reject);
      asked.end(body);
    });
}

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import type { ProcessGroup } from "./process-group.js";

const PATIENCE_MS = 30_000;
/** Asking costs the asker time that the program could use to start. */
const PAUSE_MS = 10;

/** Asks until the first answer of status 200; throws when the program ends or stays silent. */
export async function untilAnswered(group: ProcessGroup, url: string, body: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await post(url, body);
      return;
    } catch (error) {
      if (group.hasEnded) throw new Error(`it ended: ${group.lastWords || "without a word"}`);
      if (performance.now() > deadline) throw new Error(`no answer in ${PATIENCE_MS} ms: ${error}`);
      await setTimeout(PAUSE_MS);
    }
  }
}

/** Posts JSON text; the parsed answer, or an error for any status but 200. */
export async function post(url: string, body: string): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** A port of 127.0.0.1 that nobody listens to. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

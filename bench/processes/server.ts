import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { type Command, ProcessGroup } from "./process-group.js";

const TIMEOUT_MS = 30_000;
/** More frequent requests would take processor time that the program needs to start. */
const INTERVAL_MS = 10;

/** A program that listens on a port of 127.0.0.1. */
export interface Server {
  readonly group: ProcessGroup;
  readonly origin: string;
  /** Milliseconds from the start of its process to its first response. */
  readonly startMs: number;
}

/**
 * Starts a program on a free port and waits for its first response with status 200.
 *
 * @param request is repeated until that response
 */
export async function startServer(
  commandFor: (port: string) => Command,
  request: { readonly path: string; readonly body: string },
): Promise<Server> {
  const port = await freePort();
  const command = commandFor(String(port));
  const origin = `http://127.0.0.1:${port}`;
  const begun = performance.now();
  const group = new ProcessGroup(command);
  try {
    await waitForResponse(group, origin + request.path, request.body);
  } catch (error) {
    await group.stop();
    throw error;
  }
  return { group, origin, startMs: performance.now() - begun };
}

/** Repeats a request until a response has status 200. Throws when the program ends or does not respond in time. */
async function waitForResponse(group: ProcessGroup, url: string, body: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    try {
      await postJson(url, body);
      return;
    } catch (error) {
      if (group.hasEnded) throw new Error(`the program ended: ${group.stderrTail || "no error output"}`);
      if (performance.now() > deadline)
        throw new Error(`no valid response within ${TIMEOUT_MS} ms: ${error}`);
      await setTimeout(INTERVAL_MS);
    }
  }
}

/** Sends a POST request with JSON text and returns the parsed response. Throws for any status except 200. */
export async function postJson(url: string, body: string): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** Returns a free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

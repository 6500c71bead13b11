import { setTimeout } from "node:timers/promises";
import { type Emulator, startEmulator } from "../../../src/emulator/emulator.js";
import { type EmulatorSettings, readEmulatorSettings } from "../../../src/emulator/settings.js";

const started: Emulator[] = [];

/** What came back over HTTP. */
interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

/** Asks one emulator as PIOPIY's callers and as tests do. */
export class EmulatorClient {
  constructor(readonly emulator: Emulator) {}

  /** One of PIOPIY's calls with the right account, which `parameters` may override. */
  call(operation: string, parameters: Record<string, unknown> = {}, signal?: AbortSignal): Promise<Reply> {
    const body = JSON.stringify({ appid: 2222223, secret: "emulator-secret", ...parameters });
    return this.send("POST", `/v1/endpoint/${operation}`, body, "application/json", signal);
  }

  /** The rows of a page by username, with the total. */
  async list(page = 1): Promise<{ count: number; usernames: string[] }> {
    const { count, rows } = JSON.parse((await this.call("list_sip", { page })).text).list;
    return { count, usernames: rows.map((row: { username: string }) => row.username) };
  }

  reset(body?: unknown): Promise<Reply> {
    return this.send("POST", "/_emulator/reset", body === undefined ? undefined : JSON.stringify(body));
  }

  fault(fault: Record<string, unknown>): Promise<Reply> {
    return this.send("POST", "/_emulator/faults", JSON.stringify(fault));
  }

  /** Has somebody dial a number with this answer URL; `request` adds to the request, or overrides it. */
  async dial(answerUrl: string, request: object = {}) {
    const body = JSON.stringify({ to: 914471000000, from: 919999900000, answerUrl, ...request });
    const { status, text } = await this.send("POST", "/_emulator/call", body);
    return { status, body: JSON.parse(text) };
  }

  async calls(): Promise<Record<string, unknown>[]> {
    return JSON.parse((await this.send("GET", "/_emulator/calls")).text);
  }

  async send(
    method: string,
    path: string,
    body?: string,
    contentType = "application/json",
    signal?: AbortSignal,
  ): Promise<Reply> {
    const response = await fetch(`${this.emulator.origin}${path}`, {
      method,
      headers: { "content-type": contentType },
      body: body ?? null,
      signal: signal ?? null,
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

/** A fresh emulator on a free port; `closeEmulators` ends it. */
export async function startClient(settings: Partial<EmulatorSettings> = {}): Promise<EmulatorClient> {
  const emulator = await startEmulator({ ...readEmulatorSettings({}), port: 0, ...settings });
  started.push(emulator);
  return new EmulatorClient(emulator);
}

/** Ends all that `startClient` started. */
export async function closeEmulators(): Promise<void> {
  await Promise.all(started.splice(0).map((emulator) => emulator.close()));
}

/** Asks again and again until the answer is yes, or fails after ten seconds. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error("it did not come about in ten seconds");
    await setTimeout(5);
  }
}

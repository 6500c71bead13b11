import { type Emulator, startEmulator } from "../../../src/emulator/emulator.js";
import { type EmulatorSettings, readEmulatorSettings } from "../../../src/emulator/settings.js";

const started: Emulator[] = [];

interface EmulatorResponse {
  status: number;
  headers: Headers;
  text: string;
}

/** Sends requests to an emulator: those of PIOPIY's API and those of the control routes. */
export class EmulatorClient {
  constructor(readonly emulator: Emulator) {}

  /** Requests one of PIOPIY's operations. `parameters` may override the account of the emulator. */
  request(
    operation: string,
    parameters: Record<string, unknown> = {},
    signal?: AbortSignal,
  ): Promise<EmulatorResponse> {
    const body = JSON.stringify({ appid: 2222223, secret: "emulator-secret", ...parameters });
    return this.send("POST", `/v1/endpoint/${operation}`, body, "application/json", signal);
  }

  /** Returns the usernames of a page, with the total. */
  async list(page = 1): Promise<{ count: number; usernames: string[] }> {
    const { count, rows } = JSON.parse((await this.request("list_sip", { page })).text).list;
    return { count, usernames: rows.map((row: { username: string }) => row.username) };
  }

  reset(body?: unknown): Promise<EmulatorResponse> {
    return this.send("POST", "/_emulator/reset", body === undefined ? undefined : JSON.stringify(body));
  }

  fault(fault: Record<string, unknown>): Promise<EmulatorResponse> {
    return this.send("POST", "/_emulator/faults", JSON.stringify(fault));
  }

  /** Simulates a call to a number with this answer URL; `request` adds to the request body, or overrides it. */
  async dial(answerUrl: string, request: object = {}) {
    const body = JSON.stringify({ to: 914471000000, from: 919999900000, answerUrl, ...request });
    const { status, text } = await this.send("POST", "/_emulator/call", body);
    return { status, body: JSON.parse(text) };
  }

  async requestLog(): Promise<Record<string, unknown>[]> {
    return JSON.parse((await this.send("GET", "/_emulator/calls")).text);
  }

  async send(
    method: string,
    path: string,
    body?: string,
    contentType = "application/json",
    signal?: AbortSignal,
  ): Promise<EmulatorResponse> {
    const response = await fetch(`${this.emulator.origin}${path}`, {
      method,
      headers: { "content-type": contentType },
      body: body ?? null,
      signal: signal ?? null,
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }
}

/** Starts an emulator on a free port; `closeEmulators` stops it. */
export async function startClient(settings: Partial<EmulatorSettings> = {}): Promise<EmulatorClient> {
  const emulator = await startEmulator({ ...readEmulatorSettings({}), port: 0, ...settings });
  started.push(emulator);
  return new EmulatorClient(emulator);
}

/** Stops all emulators of `startClient`. */
export async function closeEmulators(): Promise<void> {
  await Promise.all(started.splice(0).map((emulator) => emulator.close()));
}

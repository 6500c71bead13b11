import "reflect-metadata";
import { Writable } from "node:stream";
import { pino } from "pino";
import { readConfig } from "../../../src/config.js";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../../src/emulator/settings.js";
import { createServer } from "../../../src/http/server.js";
import { loggerOptions } from "../../../src/log.js";
import { PiopiyClient } from "../../../src/piopiy/client.js";
import { Redis } from "../../../src/redis.js";
import type { TypedDocumentString } from "../../generated/graphql.js";
import { until } from "../until.js";

/** One call that the emulator recorded. */
export interface RecordedCall {
  readonly operation: string;
  readonly username?: string;
  readonly page?: number;
  readonly status: number | null;
  readonly concurrent: number;
}

export interface Answer<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Data;
  readonly errors: readonly AnswerError[] | undefined;
  readonly extensions?: { readonly stale?: { readonly ageMs: number } };
}

export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: string;
    readonly retryable: boolean;
    readonly requestId: string;
    readonly [name: string]: unknown;
  };
}

/** A gateway under test, on ports of its own, and the emulator behind it. */
export interface TestGateway {
  /** Where the gateway listens, without a path. */
  readonly origin: string;
  /** The address of the emulator, as other gateways may have it for `PIOPIY_URL`. */
  readonly piopiyUrl: string;
  /** What the gateway has logged, one JSON text a line. */
  readonly log: readonly string[];
  /** Sends an operation as a client would, with more headers where they are given. */
  ask<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables?: Variables,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>;
  ask<Data>(
    document: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<Answer<Data>>;
  /** The calls that reached the emulator since the last reset. */
  calls(): Promise<RecordedCall[]>;
  /** Makes calls upstream fail: see the emulator's faults. */
  fail(fault: Record<string, unknown>): Promise<void>;
  /** Has the emulator place a call, and tells what came of it. */
  dial(call: Record<string, unknown>): Promise<unknown>;
  /** Puts the emulator into a state and forgets its calls and faults. */
  reset(state?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  /** Environment variables of the gateway. */
  readonly gateway?: Readonly<Record<string, string>>;
  /** Environment variables of the emulator. */
  readonly emulator?: Readonly<Record<string, string>>;
}

/** Starts a gateway in this process, on an emulator of its own unless `PIOPIY_URL` names another upstream. */
export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const settings = readEmulatorSettings({ EMULATOR_PORT: "0", ...options.emulator });
  const emulator = await startEmulator(settings);
  const config = readConfig({
    PORT: "0",
    AUTH: "none",
    PIOPIY_URL: emulator.url,
    PIOPIY_APP_ID: String(settings.appId),
    PIOPIY_SECRET: settings.secret,
    INTROSPECTION: "true",
    LOG_LEVEL: "trace",
    // Tests change the emulator behind the gateway's back.
    CACHE_TTL_MS: "0",
    ...options.gateway,
  });
  const log: string[] = [];
  const logger = pino(loggerOptions(config.logLevel), new LineCollector(log));
  if (config.upstream === "emulator") throw new Error("A test names its upstream by address.");
  const redis = config.redisUrl ? new Redis(config.redisUrl, logger) : undefined;
  if (redis) await until(() => redis.isReady);
  const client = new PiopiyClient({ ...config, ...config.upstream, redis }, logger);
  // Nothing is cached before the first heartbeat over Redis is heard, and never while Redis refuses a command.
  if (redis) await until(() => client.version !== undefined || !redis.isUp);
  const server = await createServer(config, client, logger, redis);
  const origin = await server.listen({ host: config.host, port: config.port });
  const control = (path: string, body: object) => post(`${emulator.origin}/_emulator/${path}`, body);

  return {
    origin,
    piopiyUrl: emulator.url,
    log,
    async ask(document: unknown, variables?: unknown, headers?: Record<string, string>) {
      const response = await post(`${origin}/graphql`, { query: String(document), variables }, headers);
      return { status: response.status, headers: response.headers, ...(await response.json()) };
    },
    async calls() {
      return (await fetch(`${emulator.origin}/_emulator/calls`)).json();
    },
    async fail(fault) {
      await control("faults", fault);
    },
    async dial(call) {
      return (await control("call", call)).json();
    },
    async reset(state = {}) {
      await control("reset", state);
    },
    async close() {
      await server.close();
      await client.close();
      redis?.close();
      await emulator.close();
    },
  };
}

async function post(url: string, body: object, headers?: Record<string, string>): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

class LineCollector extends Writable {
  constructor(lines: string[]) {
    super({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
  }
}

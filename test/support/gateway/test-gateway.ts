import "reflect-metadata";
import { Writable } from "node:stream";
import { pino } from "pino";
import { readConfig } from "../../../src/config.js";
import { startEmulator } from "../../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../../src/emulator/settings.js";
import { Health } from "../../../src/http/health.js";
import { createServer } from "../../../src/http/server.js";
import { loggerOptions } from "../../../src/log.js";
import { PiopiyClient } from "../../../src/piopiy/client.js";
import { Redis } from "../../../src/redis.js";
import type { TypedDocumentString } from "../../generated/graphql.js";
import { until } from "../until.js";

/** Request that the emulator has recorded. */
export interface RecordedRequest {
  readonly operation: string;
  readonly username?: string;
  readonly page?: number;
  readonly requestId?: string;
  readonly status: number | null;
  readonly concurrent: number;
}

export interface GraphqlResponse<Data> {
  readonly status: number;
  readonly headers: Headers;
  readonly data: Data;
  readonly errors: readonly ResponseError[] | undefined;
  readonly extensions?: {
    readonly stale?: { readonly ageMs: number };
    readonly cost?: { readonly requested: number; readonly remaining?: number };
    readonly warnings?: readonly { readonly message: string; readonly path: readonly string[] }[];
  };
}

export interface ResponseError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: {
    readonly code: string;
    readonly retryable: boolean;
    readonly requestId: string;
    readonly [name: string]: unknown;
  };
}

/** Gateway for tests and its emulator, on free ports. */
export interface TestGateway {
  /** Origin of the gateway. */
  readonly origin: string;
  /** URL of the emulator for `PIOPIY_URL`. */
  readonly piopiyUrl: string;
  /** Log entries of the gateway, one JSON text each. */
  readonly log: readonly string[];
  /** Sends an operation over HTTP, with additional headers. Root fields are typed as if none of them failed. */
  execute<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables?: Variables,
    headers?: Record<string, string>,
  ): Promise<GraphqlResponse<{ [Field in keyof Data]-?: NonNullable<Data[Field]> }>>;
  execute<Data>(
    document: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<GraphqlResponse<Data>>;
  /** Returns the requests that the emulator has received since the last reset. */
  upstreamRequests(): Promise<RecordedRequest[]>;
  /** Adds a fault of the emulator, which makes upstream requests fail. */
  addFault(fault: Record<string, unknown>): Promise<void>;
  /** Simulates a phone call in the emulator, and returns its result. */
  dial(call: Record<string, unknown>): Promise<unknown>;
  /** Resets the emulator to a state, without recorded requests and faults. */
  reset(state?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  /** Environment variables of the gateway. */
  readonly gateway?: Readonly<Record<string, string>>;
  /** Environment variables of the emulator. */
  readonly emulator?: Readonly<Record<string, string>>;
}

/** Starts a gateway in this process, with its own emulator unless `PIOPIY_URL` is set. */
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
    // Tests change the emulator's endpoints without the gateway.
    CACHE_TTL_MS: "0",
    ...options.gateway,
  });
  const log: string[] = [];
  const logger = pino(loggerOptions(config.logLevel), new LineCollector(log));
  if (config.upstream === "emulator") throw new Error("PIOPIY_URL must be a URL in this test gateway.");
  const redis = config.redisUrl ? new Redis(config.redisUrl, logger) : undefined;
  if (redis) await until(() => redis.isReady);
  const client = new PiopiyClient({ ...config, ...config.upstream, redis }, logger);
  // Nothing is cached until the first heartbeat over Redis arrives, and while Redis rejects a command.
  if (redis) await until(() => client.version !== undefined || !redis.isUp);
  const server = await createServer(config, client, logger, new Health(client, redis), redis);
  const origin = await server.listen({ host: config.host, port: config.port });
  const control = (path: string, body: object) => post(`${emulator.origin}/_emulator/${path}`, body);

  return {
    origin,
    piopiyUrl: emulator.url,
    log,
    async execute(document: unknown, variables?: unknown, headers?: Record<string, string>) {
      const response = await post(`${origin}/graphql`, { query: String(document), variables }, headers);
      return { status: response.status, headers: response.headers, ...(await response.json()) };
    },
    async upstreamRequests() {
      return (await fetch(`${emulator.origin}/_emulator/calls`)).json();
    },
    async addFault(fault) {
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

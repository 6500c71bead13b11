import "reflect-metadata";
import cluster from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { pino } from "pino";
import metadata from "../package.json" with { type: "json" };
import { Closers } from "./closers.js";
import { type Config, ConfigError, describeConfig, readConfig } from "./config.js";
import { reasonOf } from "./describe-error.js";
import { type EmulatorSettings, EmulatorSettingsError, readEmulatorSettings } from "./emulator/settings.js";
import { Environment } from "./environment.js";
import { allowsLocalPages } from "./http/cors.js";
import { Health, type Readiness } from "./http/health.js";
import { createMetricsServer } from "./http/metrics-server.js";
import { createServer } from "./http/server.js";
import { LogDestination, loggerOptions } from "./log.js";
import { PiopiyClient } from "./piopiy/client.js";
import { Secret } from "./secret.js";
import { readMetrics, readWorkerMetrics, startMetrics } from "./telemetry/metrics.js";
import { Workers } from "./workers.js";

type Account = Exclude<Config["upstream"], "emulator">;

/** The addresses on which the gateway listens. */
interface Addresses {
  readonly api: string;
  /** Undefined without `METRICS_PORT`, and in workers. */
  readonly metrics: string | undefined;
}

/** Milliseconds for accepted requests to finish after a signal and the shutdown delay. Then the process exits. */
const GRACE_MS = 15_000;
/** Milliseconds after which the process exits although an export of spans continues. */
const EXIT_MS = 500;
/** Signals within this time after the first count as one: npm forwards a signal that the terminal has also sent to the gateway. */
const ONE_SIGNAL_MS = 1000;
/** Environment variable that passes the URL of the embedded emulator to workers. */
const EMULATOR_URL = "EMULATOR_URL";
/** Environment variable that shows a worker that its primary process is this program. */
const PRIMARY_PID = "GATEWAY_PRIMARY_PID";

/** The primary process may be another program, such as pm2 in cluster mode. Such a program relays no invalidations. */
const isOwnWorker = cluster.isWorker && process.env[PRIMARY_PID] === String(process.ppid);
const closers = new Closers();
/** Logs the start and the stop at every log level. Undefined in workers, and until the settings are read. */
let lifecycle: FastifyBaseLogger | undefined;
let stoppingSince: number | undefined;
/** `SHUTDOWN_DELAY_MS` when it has been read. */
let shutdownDelayMs = 0;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (stoppingSince === undefined) {
      lifecycle?.info({ signal }, "the gateway stops");
      stoppingSince = performance.now();
      void stop();
      // A worker gets signals from its primary process and from the terminal.
    } else if (!isOwnWorker && performance.now() - stoppingSince > ONE_SIGNAL_MS) {
      process.exit(1);
    }
  });
}
try {
  const { config, emulatorSettings } = readSettings();
  await start(config, emulatorSettings);
} catch (error) {
  // A signal to the process group may stop a worker before this process has handled the signal.
  await new Promise(setImmediate);
  // Errors after a signal are consequences of closing.
  if (!closers.isClosing) {
    reportFailure(error);
    // The error is the last line: a gateway that has not started logs no stop.
    lifecycle = undefined;
    await stop();
  }
}

function reportFailure(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/**
 * Closes everything that is open, after which the process exits. It exits at the latest when `GRACE_MS` have passed after the
 * shutdown delay.
 */
async function stop(): Promise<void> {
  setTimeout(() => process.exit(1), shutdownDelayMs + GRACE_MS).unref();
  // A start that a signal has stopped may never end. Node.js would exit with code 13 then.
  process.exitCode ??= 0;
  await closers.close().catch(reportFailure);
  lifecycle?.info({ exitCode: process.exitCode }, "the gateway has stopped");
}

/** Returns the settings of the gateway, and of the emulator if it is embedded. Throws one `ConfigError` that lists all errors of both. */
function readSettings(): { config: Config; emulatorSettings: EmulatorSettings | undefined } {
  const mistakes: string[] = [];
  const tryRead = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof EmulatorSettingsError)) throw error;
      mistakes.push(...error.mistakes);
      return undefined;
    }
  };
  const config = tryRead(() => readConfig(process.env));
  // By default the emulator listens on any free port, so that several gateways can run at the same time.
  const emulatorSettings =
    new Environment(process.env).text("PIOPIY_URL") === "emulator"
      ? tryRead(() => readEmulatorSettings({ EMULATOR_PORT: "0", ...process.env }))
      : undefined;
  if (!config || mistakes.length > 0) throw new ConfigError(mistakes);
  return { config, emulatorSettings };
}

async function start(config: Config, emulatorSettings: EmulatorSettings | undefined): Promise<void> {
  shutdownDelayMs = config.shutdownDelayMs;
  const format = config.logFormat === "pretty" ? (await import("./pretty-log.js")).formatEntry : undefined;
  const log = createLog(config.logLevel, format);
  if (!isOwnWorker) lifecycle = log.child({}, { level: "info" });
  if (cluster.isWorker) {
    // When the primary process has just died, an error event without a listener would end this process.
    process.on("error", (error) => log.warn({ reason: reasonOf(error) }, "cannot reach the primary process"));
    await closers.add(() => cluster.worker?.disconnect());
  }
  const emulator =
    emulatorSettings && !isOwnWorker
      ? await (await import("./emulator/emulator.js")).startEmulator(emulatorSettings)
      : undefined;
  if (emulator) await closers.add(() => emulator.close());
  // Workers use the emulator of their primary process.
  const emulatorUrl = emulator?.url ?? process.env[EMULATOR_URL] ?? "";
  const phonePage = emulatorUrl ? new URL("/phone", emulatorUrl).href : undefined;
  const account = emulatorSettings
    ? { url: emulatorUrl, appId: emulatorSettings.appId, secret: new Secret(emulatorSettings.secret) }
    : (config.upstream as Account);
  const isPrimary = config.workers > 1 && cluster.isPrimary;
  const addresses = await (isPrimary
    ? startWorkers(config, emulatorUrl, log)
    : startServer(config, account, log, phonePage));
  if (!isOwnWorker && !closers.isClosing)
    reportStart({ ...addresses, phonePage, sip: emulator?.sipAddress }, config, emulatorUrl);
}

/** Creates the logger. The entries of a worker have its number. */
function createLog(level: Config["logLevel"], format?: (line: string) => string): FastifyBaseLogger {
  const destination = new LogDestination(
    (dropped) =>
      logger.error({ dropped }, "log entries were dropped because standard output could not be written"),
    format,
  );
  const logger = pino(loggerOptions(level), destination);
  const worker = cluster.worker?.id;
  return worker === undefined ? logger : logger.child({ worker });
}

async function startServer(
  config: Config,
  account: Account,
  log: FastifyBaseLogger,
  phonePage: string | undefined,
): Promise<Addresses> {
  if (config.tracesUrl) {
    const { TraceExport } = await import("./telemetry/trace-export.js");
    const traces = new TraceExport(config.tracesUrl, metadata.version, log);
    await closers.add(async () => {
      // An export cannot be aborted.
      if (!(await traces.close())) setTimeout(() => process.exit(), EXIT_MS).unref();
    });
  }
  const redis = config.redisUrl ? new (await import("./redis.js")).Redis(config.redisUrl, log) : undefined;
  if (redis) await closers.add(() => redis.close());
  const peers = isOwnWorker ? "workers" : cluster.isWorker ? "unreachable" : "none";
  if (peers === "unreachable" && !redis) {
    log.warn(
      "another program's cluster mode has started this process: nothing is cached, because it does not receive the " +
        "invalidations of the other processes. Set REDIS_URL, or start the gateway once and set WORKERS",
    );
  }
  const piopiy = new PiopiyClient({ ...config, ...account, redis, peers }, log);
  await closers.add(() => piopiy.close());
  const health = new Health(piopiy, redis);
  if (config.metricsPort !== undefined) {
    const { auth, trustedDocuments } = config;
    const files = [auth.mode === "api-key" ? auth.keys : undefined, trustedDocuments.documents];
    const { version } = metadata;
    startMetrics({ version, piopiy, redis, files: files.filter((file) => file !== undefined) });
  }
  // The metrics of a worker are a part of those of its primary process.
  const metrics = isOwnWorker
    ? undefined
    : await addMetricsServer(config, log, readMetrics, () => health.readiness);
  const server = await createServer(config, piopiy, log, health, redis, phonePage);
  await closers.add(async () => {
    health.isClosing = true;
    // With WORKERS, each worker has this delay, and the primary process waits for its workers.
    if (server.server.listening) await sleep(config.shutdownDelayMs);
    await server.close();
  });
  const metricsAddress = metrics && (await listen(metrics, config.host, "METRICS_PORT", config.metricsPort));
  return { api: await listen(server, config.host, "PORT", config.port), metrics: metricsAddress };
}

/** Creates the server for the metrics if there is a port for it. It closes after everything that is added to the closers later. */
async function addMetricsServer(
  { metricsPort }: Config,
  log: FastifyBaseLogger,
  ...sources: [() => Promise<string>, () => Readiness | Promise<Readiness>]
): Promise<FastifyInstance | undefined> {
  if (metricsPort === undefined) return undefined;
  const server = createMetricsServer(log, ...sources);
  await closers.add(() => server.close());
  return server;
}

async function startWorkers(config: Config, emulatorUrl: string, log: FastifyBaseLogger): Promise<Addresses> {
  const { host, metricsPort } = config;
  // The file of this build: dist/main.js may import a newer build by now.
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.url) });
  const workers = new Workers({ [EMULATOR_URL]: emulatorUrl, [PRIMARY_PID]: String(process.pid) }, log);
  const metrics = await addMetricsServer(config, log, readWorkerMetrics, () => workers.readiness());
  await closers.add(async () => {
    if (!(await workers.stop())) process.exitCode = 1;
  });
  const metricsAddress = metrics && (await listen(metrics, host, "METRICS_PORT", metricsPort));
  return { api: await workers.start(config.workers, host), metrics: metricsAddress };
}

/** Makes a server listen, and returns its address. A port in use is an error that names the setting. */
async function listen(server: FastifyInstance, host: string, setting: string, port = 0): Promise<string> {
  try {
    return await server.listen({ host, port });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
    throw new Error(
      `Port ${port} on ${host} is in use. Set ${setting} to another port, or to 0 for any free port.`,
    );
  }
}

/** Reports the addresses and the settings, at every log level. With LOG_FORMAT=pretty, prints sentences for a person. */
function reportStart(
  { api, metrics: origin, phonePage, sip }: Addresses & Record<"phonePage" | "sip", string | undefined>,
  config: Config,
  emulatorUrl: string,
): void {
  const graphql = `${api}/graphql`;
  const graphiql = config.graphiql ? `${api}/graphiql` : undefined;
  const metrics = origin && `${origin}/metrics`;
  const notes: string[] = [];
  if (emulatorUrl) {
    notes.push(
      `The gateway sends its requests to the PIOPIY emulator at ${emulatorUrl}, not to PIOPIY. Calls ring only phones that are logged in at the emulator.`,
      `The emulator's SBC is for development only. It accepts phones over WebSocket${sip ? `, and over UDP and TCP at ${sip}` : ""}.`,
    );
  }
  if (allowsLocalPages(config.corsOrigins)) {
    notes.push(
      "Pages of http://localhost and http://127.0.0.1 may send requests, from any port. To choose the origins, set CORS_ORIGINS.",
    );
  }
  if (config.auth.mode === "none") {
    notes.push(
      "AUTH=none: everyone who can reach this address can read, change and remove every endpoint, and read every password.",
    );
  }
  if (config.logFormat === "pretty") {
    console.log(
      [
        `GraphQL      ${graphql}`,
        ...(graphiql ? [`GraphiQL     ${graphiql}`] : []),
        ...(phonePage ? [`Phone page   ${phonePage}`] : []),
        ...(metrics ? [`Metrics      ${metrics}`] : []),
        ...notes,
      ].join("\n"),
    );
    return;
  }
  const { version } = metadata;
  const entry = {
    version,
    node: process.version,
    graphql,
    graphiql,
    phonePage,
    sip,
    metrics,
    notes,
    settings: describeConfig(config),
  };
  lifecycle?.info(entry, "the gateway listens");
}

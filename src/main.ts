import "reflect-metadata";
import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import type { FastifyBaseLogger } from "fastify";
import { pino } from "pino";
import { type Config, ConfigError, readConfig, type Upstream } from "./config.js";
import { type EmulatorSettings, EmulatorSettingsError, readEmulatorSettings } from "./emulator/settings.js";
import { connectPiopiy } from "./piopiy/connect-piopiy.js";
import { createServer } from "./server.js";
import { Workers } from "./workers.js";

/** How long accepted requests may take to end after a signal to stop. */
const GRACE_MS = 15_000;
/** Where a worker finds the embedded emulator. */
const EMULATOR_URL = "EMULATOR_URL";

try {
  const { config, embedded } = readSettings();
  await start(config, embedded);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** The gateway's settings, and those of the emulator where that is asked for; or all mistakes in both. */
function readSettings(): { config: Config; embedded: EmulatorSettings | undefined } {
  const mistakes: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError || error instanceof EmulatorSettingsError)) throw error;
      mistakes.push(...error.mistakes);
      return undefined;
    }
  };
  const config = attempt(() => readConfig(process.env));
  // Any free port unless one is named, so that several gateways run side by side.
  const embedded =
    process.env.PIOPIY_URL === "emulator"
      ? attempt(() => readEmulatorSettings({ EMULATOR_PORT: "0", ...process.env }))
      : undefined;
  if (!config || mistakes.length > 0) throw new ConfigError(mistakes);
  return { config, embedded };
}

async function start(config: Config, embedded: EmulatorSettings | undefined): Promise<void> {
  const log = pino({ level: config.logLevel });
  const emulator =
    embedded && cluster.isPrimary
      ? await (await import("./emulator/emulator.js")).startEmulator(embedded)
      : undefined;
  // Workers use the emulator of their primary process.
  const emulatorUrl = emulator?.url ?? process.env[EMULATOR_URL] ?? "";
  const account = embedded ? { ...embedded, url: emulatorUrl } : (config.upstream as Upstream);
  const gateway =
    config.workers > 1 && cluster.isPrimary
      ? createWorkers(config, emulatorUrl, log)
      : await createGateway(config, account, log);

  const stop = async () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    await gateway.stop();
    await emulator?.close();
  };
  try {
    const address = await gateway.start();
    if (cluster.isPrimary) tellStart(address, config, emulator?.url);
  } catch (error) {
    await stop();
    throw explainNoPort(error, config);
  }
  let isStopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // A terminal sends its signal to workers too, and their primary process sends another one.
      if (isStopping && cluster.isPrimary) process.exit(1);
      if (!isStopping) void stop();
      isStopping = true;
    });
  }
}

/** What can be started, which tells its address, and stopped. */
interface Startable {
  start(): Promise<string>;
  stop(): Promise<void>;
}

async function createGateway(config: Config, account: Upstream, log: FastifyBaseLogger): Promise<Startable> {
  const redis = config.redisUrl ? new (await import("./redis.js")).Redis(config.redisUrl, log) : undefined;
  const client = connectPiopiy(account, config, log, redis);
  const server = await createServer(config, client, log, redis);
  return {
    start: () => server.listen({ host: config.host, port: config.port }),
    async stop() {
      await server.close();
      await client.close();
      redis?.close();
      if (cluster.isWorker) process.disconnect();
    },
  };
}

function createWorkers(
  { host, workers: count }: Config,
  emulatorUrl: string,
  log: FastifyBaseLogger,
): Startable {
  // The build that this process started from: the path that it was started by may lead to a newer one.
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.url) });
  const workers = new Workers({ [EMULATOR_URL]: emulatorUrl }, log);
  return {
    async start() {
      const port = await workers.start(count);
      return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    },
    async stop() {
      if (!(await workers.stop())) process.exitCode = 1;
    },
  };
}

function explainNoPort(error: unknown, { host, port }: Config): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) return error;
  return new Error(
    `Port ${port} on ${host} is in use. Set PORT to another one, or to 0 for any that is free.`,
  );
}

function tellStart(address: string, config: Config, emulatorUrl: string | undefined): void {
  console.log(`GraphQL      ${address}/graphql`);
  if (config.graphiql) console.log(`GraphiQL     ${address}/graphiql`);
  if (emulatorUrl) {
    console.log(
      `This gateway talks to an emulator of PIOPIY at ${emulatorUrl}, not to PIOPIY: no phone will ring.`,
    );
  }
  if (config.auth.mode === "none") {
    console.log(
      "AUTH=none: whoever reaches this address may read, change and remove every endpoint, and read every password.",
    );
  }
}

import "reflect-metadata";
import { pino } from "pino";
import { type Config, ConfigError, readConfig, type Upstream } from "./config.js";
import { startEmulator } from "./emulator/emulator.js";
import { type EmulatorSettings, EmulatorSettingsError, readEmulatorSettings } from "./emulator/settings.js";
import { connectPiopiy } from "./piopiy/connect-piopiy.js";
import { Redis } from "./redis.js";
import { createServer } from "./server.js";

/** How long accepted requests may take to end after a signal to stop. */
const GRACE_MS = 15_000;

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
  const emulator = embedded && (await startEmulator(embedded));
  const account = embedded && emulator ? { ...embedded, url: emulator.url } : (config.upstream as Upstream);
  const redis = config.redisUrl ? new Redis(config.redisUrl, log) : undefined;
  const client = connectPiopiy(account, config, log, redis);
  const server = await createServer(config, client, log, redis);

  const stop = async () => {
    setTimeout(() => process.exit(1), GRACE_MS).unref();
    await server.close();
    await client.close();
    redis?.close();
    await emulator?.close();
  };
  try {
    const address = await server.listen({ host: config.host, port: config.port });
    tellStart(address, config, emulator?.url);
  } catch (error) {
    await stop();
    throw explainNoPort(error, config);
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
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

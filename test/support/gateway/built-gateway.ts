import { join } from "node:path";
import type { Emulator } from "../../../src/emulator/emulator.js";
import { type Program, startProgram } from "../program.js";
import { until } from "../until.js";

/** The built gateway in a process of its own. */
export interface BuiltGateway extends Program {
  /** Origin at which it listens. */
  readonly origin: string;
}

/** The address of the GraphQL API in the output of a start, in JSON or for a person. */
const ADDRESS = /(?:"graphql":"|GraphQL +)(http\S+?)\/graphql/;

/** Starts `node dist/main.js` with these environment variables and no others, and waits until it listens. */
export async function startBuiltGateway(env: Readonly<Record<string, string>>): Promise<BuiltGateway> {
  const program = startProgram([process.execPath, join("dist", "main.js")], env);
  return { ...program, origin: await originOf(program) };
}

/** Waits until a gateway listens, and returns its origin. If it does not start, kills it and throws an error with its output. */
export async function originOf({ child, output, end }: Program): Promise<string> {
  await until(() => ADDRESS.test(output.stdout) || child.exitCode !== null).catch(() => {});
  const origin = ADDRESS.exec(output.stdout)?.[1];
  if (!origin) {
    child.kill("SIGKILL");
    await end;
    throw new Error(`the gateway did not start:\n${output.stderr}`);
  }
  return origin;
}

/** Returns the environment of a gateway that caches reads from this emulator for an hour. */
export function cachingOn(emulator: Emulator): Record<string, string> {
  return {
    PORT: "0",
    AUTH: "none",
    PIOPIY_URL: emulator.url,
    PIOPIY_APP_ID: "2222223",
    PIOPIY_SECRET: "emulator-secret",
    CACHE_TTL_MS: "3600000",
    RATE_LIMIT_PER_MINUTE: "0",
  };
}

/** Returns the number of upstream requests that a function causes. */
export async function costOf(emulator: Emulator, act: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    const response = await fetch(`${emulator.origin}/_emulator/calls`);
    return ((await response.json()) as unknown[]).length;
  };
  const before = await count();
  await act();
  return (await count()) - before;
}

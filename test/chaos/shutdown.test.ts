import { afterAll, afterEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { until } from "../support/until.js";
import { isLong, Report } from "./report.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";

const SEED = 20_260_704;
const CLIENTS = 20;
const ROUNDS = isLong ? 10 : 1;
const GRACE_MS = 15_000;
const account = readEmulatorSettings({ EMULATOR_PORT: "0" });
const settings = { PIOPIY_MAX_CONCURRENCY: "12", LOG_LEVEL: "warn", RATE_LIMIT_PER_MINUTE: "0" };

const report = new Report(
  "d",
  `seed ${SEED}, node dist/main.js, ${CLIENTS} clients that read and create, responses after 300 ± 150 ms, ${JSON.stringify(settings)}`,
);
let emulator: Emulator;
let proxy: TcpProxy;
let gateway: BuiltGateway | undefined;
afterEach(async () => {
  gateway?.child.kill("SIGKILL");
  await proxy.close();
  await emulator.close();
});
afterAll(() => report.write());

/** The outcome of a request: the response, or the code of a failed connection. */
type Ending = { readonly data: unknown; readonly errors?: unknown } | string;

async function execute(username: string, isWrite: boolean): Promise<Ending> {
  const query = isWrite
    ? `mutation { create: createSipEndpoint(input: { username: "${username}" }) { userErrors { code } } }`
    : `{ sipEndpoint(username: "${username}") { username } }`;
  try {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ query });
    const response = await fetch(`${gateway?.origin}/graphql`, { method: "POST", headers, body });
    return (await response.json()) as Ending;
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    return cause?.code ?? message;
  }
}

/** Sends one SIGTERM under load. */
async function stopUnderLoad() {
  emulator = await startEmulator(account);
  proxy = await startTcpProxy(emulator.url, SEED);
  proxy.setToxics([[1, { kind: "latency", on: "reply", ms: 300, jitter: 150 }]]);
  gateway = await startBuiltGateway({
    ...settings,
    PORT: "0",
    AUTH: "none",
    PIOPIY_URL: proxy.url,
    PIOPIY_APP_ID: String(account.appId),
    PIOPIY_SECRET: account.secret,
  });
  const endings = new Map<string, Ending>();
  let refused = false;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let round = 0; !refused; round += 1) {
      const username = `c${client}r${round}`;
      const ending = await execute(username, round % 3 === 2);
      endings.set(username, ending);
      refused ||= ending === "ECONNREFUSED";
    }
  });
  await until(
    () => proxy.counts.replies > (isLong ? 3 : 1) * CLIENTS && proxy.counts.exchanges > proxy.counts.replies,
  );
  const signalledAt = performance.now();
  gateway.child.kill("SIGTERM");
  await until(async () => (refused ||= (await execute("a-new-connection", false)) === "ECONNREFUSED"));
  const isRunning = gateway.child.exitCode === null;
  await Promise.all(clients);
  const code = await gateway.end;
  const tookMs = performance.now() - signalledAt;
  const requests = (await (await fetch(`${emulator.origin}/_emulator/calls`)).json()) as {
    username: string;
  }[];
  const accepted = new Set(requests.map(({ username }) => username));
  const good = (ending: Ending | undefined) => typeof ending === "object" && ending.data && !ending.errors;
  return {
    code,
    tookMs,
    isRunning,
    stderr: gateway.output.stderr,
    accepted: accepted.size,
    withoutResponse: [...accepted].filter(
      (username) => !good(endings.get(username)) && username !== "a-new-connection",
    ),
    failed: [...endings.values()].filter((ending) => !good(ending)),
  };
}

describe("SIGTERM under load", () => {
  it.each(
    Array.from({ length: ROUNDS }, (_, round) => round + 1),
  )("lets the gateway respond to all accepted requests, refuse new connections and exit with 0, time %i", async (round) => {
    const { code, tookMs, withoutResponse, accepted, isRunning, failed, stderr } = await stopUnderLoad();
    report.goal(
      `SIGTERM ${round}: a response to every accepted request, exit code 0 within ${GRACE_MS / 1000} s`,
      `${accepted - withoutResponse.length} of ${accepted}, exit code ${code} after ${tookMs.toFixed(0)} ms`,
      withoutResponse.length === 0 && code === 0 && tookMs < GRACE_MS,
    );
    expect({ withoutResponse, code, stderr }).toEqual({ withoutResponse: [], code: 0, stderr: "" });
    expect(tookMs).toBeLessThan(GRACE_MS);
    expect(isRunning).toBe(true);
    for (const ending of failed) expect(["ECONNREFUSED", "ECONNRESET", "UND_ERR_SOCKET"]).toContain(ending);
  });
});

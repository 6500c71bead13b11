import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { freePort } from "../support/redis.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";

/** A gateway whose calls to its emulator go through a proxy that may harm them. */
export interface HarmedGateway {
  readonly gateway: TestGateway;
  readonly proxy: TcpProxy;
  /** What the emulator holds, read past gateway and proxy, in its order. */
  rows(): Promise<Row[]>;
  close(): Promise<void>;
}

interface Row {
  readonly username: string;
  readonly password: string;
}

const account = { appid: 1, secret: "chaos-secret" };

export async function startHarmedGateway(
  seed: number,
  settings: Readonly<Record<string, string>>,
): Promise<HarmedGateway> {
  const port = await freePort();
  const direct = `http://127.0.0.1:${port}/v1/endpoint/`;
  const proxy = await startTcpProxy(direct, seed);
  const gateway = await startGateway({
    emulator: { EMULATOR_PORT: String(port), EMULATOR_APP_ID: "1", EMULATOR_SECRET: account.secret },
    gateway: { LOG_LEVEL: "warn", RATE_LIMIT_PER_MINUTE: "0", ...settings, PIOPIY_URL: proxy.url },
  });
  return {
    gateway,
    proxy,
    async rows() {
      const all: Row[] = [];
      for (let page = 1; ; page += 1) {
        const body = JSON.stringify({ ...account, page });
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${direct}list_sip`, { method: "POST", headers, body });
        const { list } = (await answer.json()) as { list: { count: number; rows: Row[] } };
        all.push(...list.rows);
        if (all.length >= list.count) return all;
      }
    },
    async close() {
      proxy.harm([]);
      await gateway.close();
      await proxy.close();
    },
  };
}

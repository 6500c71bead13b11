import { startGateway, type TestGateway } from "../support/gateway/test-gateway.js";
import { freePort } from "../support/redis.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";

/** A gateway whose upstream requests go through a proxy that can inject faults. */
export interface ProxiedGateway {
  readonly gateway: TestGateway;
  readonly proxy: TcpProxy;
  /** Returns the endpoints of the emulator in its order, read directly. */
  rows(): Promise<Row[]>;
  close(): Promise<void>;
}

interface Row {
  readonly username: string;
  readonly password: string;
}

const account = { appid: 1, secret: "chaos-secret" };

export async function startProxiedGateway(
  seed: number,
  settings: Readonly<Record<string, string>>,
): Promise<ProxiedGateway> {
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
        const response = await fetch(`${direct}list_sip`, { method: "POST", headers, body });
        const { list } = (await response.json()) as { list: { count: number; rows: Row[] } };
        all.push(...list.rows);
        if (all.length >= list.count) return all;
      }
    },
    async close() {
      proxy.setToxics([]);
      await gateway.close();
      await proxy.close();
    },
  };
}

import { randomUUID } from "node:crypto";
import { until } from "../until.js";
import type { BuiltGateway } from "./built-gateway.js";
import { KeptConnection } from "./kept-connection.js";

/** Connection to one worker of a gateway. */
export interface WorkerConnection {
  readonly connection: KeptConnection;
  readonly pid: number;
}

/** Opens one connection to each worker. The gateway must log on level `info`. */
export async function connectToWorkers(gateway: BuiltGateway, count: number): Promise<WorkerConnection[]> {
  const found = new Map<number, WorkerConnection>();
  await until(async () => {
    const connection = new KeptConnection(gateway.origin);
    const requestId = randomUUID();
    await connection.execute("{ __typename }", requestId);
    let line: string | undefined;
    await until(() => {
      line = gateway.output.stdout.split("\n").find((text) => text.includes(requestId));
      return line !== undefined;
    });
    const { pid } = JSON.parse(line ?? "{}");
    if (found.has(pid)) connection.close();
    else found.set(pid, { connection, pid });
    return found.size === count;
  });
  return [...found.values()];
}

import type { FastifyInstance } from "fastify";
import type { PiopiyClient } from "../piopiy/client.js";
import type { Redis } from "../redis.js";

/** The body of `/health/ready`. */
export interface Readiness {
  readonly status: "ready" | "closing";
  readonly piopiy: PiopiyClient["state"];
  readonly redis: "up" | "down" | "off";
}

/** The state of this process, which `/health/ready` reports. */
export class Health {
  /** Whether the process shuts down. Set before the shutdown delay, so that a load balancer sends requests to other copies. */
  isClosing = false;
  readonly #piopiy: Pick<PiopiyClient, "state">;
  readonly #redis: Pick<Redis, "isUp"> | undefined;

  /** @param redis the store that several replicas share; undefined without `REDIS_URL` */
  constructor(piopiy: Pick<PiopiyClient, "state">, redis: Pick<Redis, "isUp"> | undefined) {
    this.#piopiy = piopiy;
    this.#redis = redis;
  }

  get readiness(): Readiness {
    return {
      status: this.isClosing ? "closing" : "ready",
      piopiy: this.#piopiy.state,
      redis: this.#redis ? (this.#redis.isUp ? "up" : "down") : "off",
    };
  }
}

/** Adds the routes `/health/live` and `/health/ready` to a server. */
export function addHealthRoutes(
  server: FastifyInstance,
  readiness: () => Readiness | Promise<Readiness>,
): void {
  server.get("/health/live", () => ({ status: "live" }));
  // While PIOPIY or Redis is down the gateway stays ready, and reports it: another replica would not reach them either, PCMO
  // documents do not need PIOPIY, and requests succeed without Redis.
  server.get("/health/ready", async (_request, reply) => {
    const body = await readiness();
    return reply.code(body.status === "closing" ? 503 : 200).send(body);
  });
}

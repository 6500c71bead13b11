import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { get } from "node:http";
import { json } from "node:stream/consumers";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";
import type { Readiness } from "./http/health.js";
import { InvalidationRelay } from "./piopiy/cache/worker-invalidation.js";

/** Milliseconds from the unexpected exit of a worker to the start of another one. */
const RESTART_MS = 1000;
const READINESS_TIMEOUT_MS = 5000;

/**
 * Runs several processes of this program that listen on one port. A change in one of them invalidates the caches of all before its
 * response is sent. A worker that exits unexpectedly is replaced.
 */
export class Workers {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #log: FastifyBaseLogger;
  readonly #relay = new InvalidationRelay();
  readonly #running = new Set<Worker>();
  #isStopping = false;
  #address: string | undefined;
  /** What a worker has reported last. */
  #readiness: Readiness = { status: "closing", piopiy: "unknown", redis: "off" };

  /** @param environment variables for the workers, in addition to those of this process */
  constructor(environment: Readonly<Record<string, string>>, log: FastifyBaseLogger) {
    this.#environment = environment;
    this.#log = log;
  }

  /** Starts workers, and returns their address as soon as the first one listens on the host. */
  async start(count: number, host: string): Promise<string> {
    const first = this.#fork();
    const port = await new Promise<number | undefined>((resolve) => {
      first.once("listening", (address) => resolve(address.port));
      first.once("exit", () => resolve(undefined));
    });
    if (port === undefined) throw new Error("The first worker could not start: see its error above.");
    first.on("exit", () => this.#replace(first));
    for (let number = 2; number <= count && !this.#isStopping; number++) this.#forkLasting();
    this.#address = `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    return this.#address;
  }

  /** Returns the readiness that a worker reports. While the workers stop, and if none responds, the status is `closing`. */
  async readiness(): Promise<Readiness> {
    try {
      const signal = AbortSignal.timeout(READINESS_TIMEOUT_MS);
      const [response] = await once(
        get(`${this.#address}/health/ready`, { agent: false, signal }),
        "response",
      );
      this.#readiness = (await json(response)) as Readiness;
      if (!this.#isStopping) return this.#readiness;
    } catch (error) {
      if (!this.#isStopping) this.#log.warn({ reason: reasonOf(error) }, "no worker reports its readiness");
    }
    return { ...this.#readiness, status: "closing" };
  }

  /** Stops the workers after they have responded to all accepted requests. Returns false if one did not exit with code 0. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    const ends = [...this.#running].map(
      (worker) =>
        new Promise<boolean>((resolve) => {
          // A worker that has no signal handlers yet is ended by this signal, or by the one from the terminal.
          worker.once("exit", (code, signal) =>
            resolve(code === 0 || ["SIGTERM", "SIGINT"].includes(signal)),
          );
          worker.process.kill("SIGTERM");
        }),
    );
    return (await Promise.all(ends)).every(Boolean);
  }

  #fork(): Worker {
    const worker = cluster.fork(this.#environment);
    this.#relay.add(worker);
    this.#running.add(worker);
    // Messages to a worker that has just died fail, including those of Node.js. The exit event is handled below.
    worker.on("error", (error) =>
      this.#log.warn({ workerPid: worker.process.pid, reason: reasonOf(error) }, "cannot reach a worker"),
    );
    worker.on("exit", () => this.#running.delete(worker));
    return worker;
  }

  #forkLasting(): void {
    const worker = this.#fork();
    worker.on("exit", () => this.#replace(worker));
  }

  #replace({ process: { pid: workerPid, exitCode, signalCode } }: Worker): void {
    if (this.#isStopping) return;
    const exit = { workerPid, exitCode, signalCode };
    this.#log.error(exit, "a worker exited unexpectedly; another one is started");
    setTimeout(() => this.#isStopping || this.#forkLasting(), RESTART_MS);
  }
}

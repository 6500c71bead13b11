import cluster, { type Worker } from "node:cluster";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";
import { InvalidationRelay } from "./piopiy/cache/worker-invalidation.js";

/** Milliseconds from the unexpected exit of a worker to the start of another one. */
const RESTART_MS = 1000;

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

  /** @param environment variables for the workers, in addition to those of this process */
  constructor(environment: Readonly<Record<string, string>>, log: FastifyBaseLogger) {
    this.#environment = environment;
    this.#log = log;
  }

  /** Starts workers, and returns their port as soon as the first one listens. */
  async start(count: number): Promise<number> {
    const first = this.#fork();
    const port = await new Promise<number | undefined>((resolve) => {
      first.once("listening", (address) => resolve(address.port));
      first.once("exit", () => resolve(undefined));
    });
    if (port === undefined) throw new Error("The first worker could not start: see its error above.");
    first.on("exit", () => this.#replace(first));
    for (let number = 2; number <= count && !this.#isStopping; number++) this.#forkLasting();
    return port;
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
      this.#log.warn({ pid: worker.process.pid, reason: reasonOf(error) }, "cannot reach a worker"),
    );
    worker.on("exit", () => this.#running.delete(worker));
    return worker;
  }

  #forkLasting(): void {
    const worker = this.#fork();
    worker.on("exit", () => this.#replace(worker));
  }

  #replace({ process: { pid, exitCode, signalCode } }: Worker): void {
    if (this.#isStopping) return;
    this.#log.error({ pid, exitCode, signalCode }, "a worker exited unexpectedly; another one is started");
    setTimeout(() => this.#isStopping || this.#forkLasting(), RESTART_MS);
  }
}

import cluster, { type Worker } from "node:cluster";
import type { FastifyBaseLogger } from "fastify";
import { reasonOf } from "./describe-error.js";
import { InvalidationRelay } from "./piopiy/cache/worker-invalidation.js";

/** How long a worker that ended by itself is not started again. */
const RESTART_MS = 1000;

/**
 * Runs several processes of this program that listen on one port. A change in one of them invalidates the caches of all before its
 * response is sent; a process that ends by itself is replaced.
 */
export class Workers {
  readonly #environment: Readonly<Record<string, string>>;
  readonly #log: FastifyBaseLogger;
  readonly #relay = new InvalidationRelay();
  readonly #running = new Set<Worker>();
  #isStopping = false;

  /** @param environment variables for the workers besides those of this process */
  constructor(environment: Readonly<Record<string, string>>, log: FastifyBaseLogger) {
    this.#environment = environment;
    this.#log = log;
  }

  /** Starts a number of workers, and returns the port once the first one listens. */
  async start(count: number): Promise<number> {
    const first = this.#fork();
    const port = await new Promise<number | undefined>((resolve) => {
      first.once("listening", (address) => resolve(address.port));
      first.once("exit", () => resolve(undefined));
    });
    if (port === undefined) throw new Error("The first worker could not start, and has said why.");
    first.on("exit", () => this.#replace(first));
    for (let number = 2; number <= count && !this.#isStopping; number++) this.#forkLasting();
    return port;
  }

  /** Stops the workers, which respond to all accepted requests first. Returns false when one of them failed to stop in order. */
  async stop(): Promise<boolean> {
    this.#isStopping = true;
    const ends = [...this.#running].map(
      (worker) =>
        new Promise<boolean>((resolve) => {
          // One that had no time to listen for signals ends by this one, or by the one that the terminal has sent.
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
    // Whatever is sent to a worker that has just died fails, also Node's own messages; its exit is what counts.
    worker.on("error", (error) =>
      this.#log.warn({ pid: worker.process.pid, reason: reasonOf(error) }, "a worker is not reached"),
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
    this.#log.error({ pid, exitCode, signalCode }, "a worker ended by itself; another one takes its place");
    setTimeout(() => this.#isStopping || this.#forkLasting(), RESTART_MS);
  }
}

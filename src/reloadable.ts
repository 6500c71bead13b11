import { unwatchFile, watchFile } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { FastifyBaseLogger } from "fastify";
import type { Environment } from "./environment.js";

const POLL_MS = 250;
/** A file that was changed within this time may not be complete yet. */
const SETTLE_MS = 250;

/**
 * A setting whose file is read again when it changes. The file is polled by its path, because a watcher of the operating system
 * loses a file that is replaced: Kubernetes swaps a symbolic link above the file, and some network file systems report no events.
 */
export class Reloadable<Value> {
  /** The latest valid value. */
  current: Value;
  /** The path of the file, or undefined if the value is not in a file. */
  readonly path: string | undefined;
  /** The variable that names the file. */
  readonly setting: string;
  /** How often the changed file was invalid. */
  failures = 0;
  readonly #environment: Environment;
  readonly #read: (environment: Environment) => Value;
  #mistakes: readonly string[] = [];

  /**
   * @param setting the variable that names the file
   * @param read reads the value. The errors of the first time are in `environment.mistakes`
   */
  constructor(
    setting: string,
    path: string | undefined,
    environment: Environment,
    read: (environment: Environment) => Value,
  ) {
    this.setting = setting;
    this.path = path;
    this.#environment = environment;
    this.#read = read;
    this.current = read(environment);
  }

  /**
   * Reads the file again whenever it changes, until the returned function is called. An invalid file changes nothing.
   *
   * @param onReload is called after the value has changed
   */
  watch(log: FastifyBaseLogger, onReload: () => void = () => {}): () => void {
    const { path } = this;
    if (path === undefined) return () => {};
    let timer: NodeJS.Timeout | undefined;
    const schedule = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.#reload(log, onReload), SETTLE_MS).unref();
    };
    watchFile(path, { interval: POLL_MS, persistent: false }, schedule);
    // The file may have changed since it was read.
    schedule();
    return () => {
      clearTimeout(timer);
      unwatchFile(path, schedule);
    };
  }

  #reload(log: FastifyBaseLogger, onReload: () => void): void {
    const environment = this.#environment.renew();
    const value = this.#read(environment);
    const mistakes = [...environment.mistakes];
    const before = this.#mistakes;
    this.#mistakes = mistakes;
    const { setting } = this;
    if (mistakes.length > 0) {
      if (isDeepStrictEqual(mistakes, before)) return;
      const failures = ++this.failures;
      log.error(
        { setting, failures, mistakes },
        "a changed file is invalid: its previous content stays in use",
      );
      return;
    }
    if (before.length === 0 && isDeepStrictEqual(value, this.current)) return;
    this.current = value;
    onReload();
    log.info({ setting, path: this.path }, "a changed file is in use");
  }
}

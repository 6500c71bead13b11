import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

const KEPT_WORDS = 2000;
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const running = new Set<ProcessGroup>();

/** A program and all processes that it starts. What it prints goes nowhere, as it would with a log that is not read. */
export class ProcessGroup {
  readonly #child: ChildProcess;
  #lastWords = "";

  constructor({ file, args, env }: Command) {
    this.#child = spawn(file, args, {
      env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child.once("error", (error) => {
      this.#lastWords += error.message;
    });
    this.#child.stderr?.on("data", (text) => {
      this.#lastWords = `${this.#lastWords}${text}`.slice(-KEPT_WORDS);
    });
    running.add(this);
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The end of what it wrote to its error output. */
  get lastWords(): string {
    return this.#lastWords.trim();
  }

  get processCount(): number {
    return this.#members().length;
  }

  /** The memory of all its processes that is in RAM, in MB. */
  get residentMegabytes(): number {
    const pages = this.#members().map((stat) => Number(stat.split(" ")[21]));
    return (pages.reduce((sum, count) => sum + count, 0) * PAGE_BYTES) / 1e6;
  }

  /** The processor time that all its processes have used, in seconds, to a hundredth. */
  get processorSeconds(): number {
    const ticks = this.#members().map((stat) => Number(stat.split(" ")[11]) + Number(stat.split(" ")[12]));
    return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
  }

  async stop(): Promise<void> {
    running.delete(this);
    if (this.hasEnded) return;
    const ended = once(this.#child, "exit");
    this.#signal("SIGTERM");
    const impatience = setTimeout(() => this.#signal("SIGKILL"), 3000);
    await ended;
    clearTimeout(impatience);
    // A worker may outlive the process that started it.
    this.#signal("SIGKILL");
  }

  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  /** The lines of `/proc/<pid>/stat` from the state on; the name before it may hold spaces. */
  #members(): string[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, "latin1");
          return [stat.slice(stat.lastIndexOf(")") + 2)];
        } catch {
          return [];
        }
      })
      .filter((stat) => Number(stat.split(" ")[2]) === this.#child.pid);
  }
}

/** For the end of the benchmark, however it comes: a group of its own does not end with its parent. */
export function killAll(): void {
  for (const group of running) group.kill();
}

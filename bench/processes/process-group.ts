import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

const STDERR_CHARACTERS = 2000;
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const running = new Set<ProcessGroup>();

/** Runs a program with all processes that it starts. Its standard output is discarded. */
export class ProcessGroup {
  readonly #child: ChildProcess;
  #stderrTail = "";

  constructor({ file, args, env }: Command) {
    this.#child = spawn(file, args, {
      env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child.once("error", (error) => {
      this.#stderrTail += error.message;
    });
    this.#child.stderr?.on("data", (text) => {
      this.#stderrTail = `${this.#stderrTail}${text}`.slice(-STDERR_CHARACTERS);
    });
    running.add(this);
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The last characters of the program's error output. */
  get stderrTail(): string {
    return this.#stderrTail.trim();
  }

  get processCount(): number {
    return this.#stats().length;
  }

  /** The resident memory of all its processes, in MB. */
  get residentMegabytes(): number {
    const pages = this.#stats().map((stat) => Number(stat.split(" ")[21]));
    return (pages.reduce((sum, count) => sum + count, 0) * PAGE_BYTES) / 1e6;
  }

  /** The processor time that all its processes have used, in seconds with two decimals. */
  get processorSeconds(): number {
    const ticks = this.#stats().map((stat) => Number(stat.split(" ")[11]) + Number(stat.split(" ")[12]));
    return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND;
  }

  async stop(): Promise<void> {
    running.delete(this);
    if (this.hasEnded) return;
    const ended = once(this.#child, "exit");
    this.#signal("SIGTERM");
    const killTimer = setTimeout(() => this.#signal("SIGKILL"), 3000);
    await ended;
    clearTimeout(killTimer);
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
      // The group has already ended.
    }
  }

  /** Returns the lines of `/proc/<pid>/stat`, without the fields before the state: the name there may contain spaces. */
  #stats(): string[] {
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

/** Kills all running process groups. They do not end when the benchmark ends. */
export function killAllProcessGroups(): void {
  for (const group of running) group.kill();
}

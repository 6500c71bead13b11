import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { SingleBar } from "cli-progress";

/** Prints the output of a command. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a message to the person, beside the output. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Returns whether a person can be asked. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

/** Asks a question, and returns whether the person agrees. */
export async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // Ctrl-C and Ctrl-D close the terminal without a reply.
    const reply = await Promise.race([terminal.question(`${question} [y/N] `), once(terminal, "close")]);
    return /^y(es)?$/i.test(String(reply).trim());
  } catch {
    return false;
  } finally {
    terminal.close();
  }
}

/** Shows how many items are done: as a bar on a terminal, otherwise as lines. */
export class Progress {
  readonly #total: number;
  readonly #bar: SingleBar | undefined;

  constructor(total: number) {
    this.#total = total;
    if (!process.stderr.isTTY) return;
    this.#bar = new SingleBar({
      format: "{bar} {value} of {total}",
      barCompleteChar: "#",
      barIncompleteChar: "-",
      stream: process.stderr,
      // The command handles signals.
      gracefulExit: false,
    });
    this.#bar.start(total, 0);
  }

  update(done: number): void {
    if (this.#bar) this.#bar.update(done);
    else note(`${done} of ${this.#total}`);
  }

  stop(): void {
    this.#bar?.stop();
  }
}

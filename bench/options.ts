import { parseArgs } from "node:util";
import { contestants } from "./contestants.js";

export interface Options {
  readonly command: "run" | "soak" | "got";
  readonly only: readonly string[];
  readonly rounds: number;
  /** Seconds of load for one contestant, one workload and one round. */
  readonly seconds: number;
  /** Milliseconds that the emulated PIOPIY takes where throughput is measured. */
  readonly delayMs: number;
  readonly minutes: number;
  readonly quick: boolean;
  readonly write: boolean;
}

const USAGE = `npm run bench -- [run | soak | got] [options]

  --only a,b    these contestants only: ${contestants.map(({ name }) => name).join(", ")}
  --rounds n    rounds (3)
  --seconds n   seconds of load each (2)
  --delay ms    how long the emulated PIOPIY takes where throughput is measured (2)
  --quick       one short round, to see that all works
  --write       write RESULTS.md, which a full run does anyway
  --minutes n   how long a soak takes (10)`;

/** Reads the command line; throws an error with the usage for what it does not know. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [command = "run", ...more] = positionals;
  if (more.length > 0 || (command !== "run" && command !== "soak" && command !== "got")) {
    throw new Error(USAGE);
  }
  const only = values.only?.split(",") ?? contestants.map(({ name }) => name);
  const unknown = only.filter((name) => !contestants.some((contestant) => contestant.name === name));
  if (unknown.length > 0) throw new Error(`no contestant is called ${unknown.join(", ")}\n\n${USAGE}`);
  const quick = values.quick ?? false;
  return {
    command,
    only,
    rounds: number("rounds", values.rounds, quick ? 1 : 3, 1),
    seconds: number("seconds", values.seconds, quick ? 0.5 : 2, 0.1),
    delayMs: number("delay", values.delay, 2, 0),
    minutes: number("minutes", values.minutes, 10, 0.1),
    quick,
    write: values.write ?? false,
  };
}

/** Whether what comes out may stand as the project's results. */
export function isFull({ quick, only, rounds, seconds }: Options): boolean {
  return !quick && only.length === contestants.length && rounds >= 3 && seconds >= 2;
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...{ only: text, rounds: text, seconds: text, delay: text, minutes: text },
        ...{ quick: flag, write: flag },
      },
    });
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

function number(name: string, text: string | undefined, otherwise: number, least: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value >= least)) throw new Error(`--${name} takes a number from ${least}\n\n${USAGE}`);
  return value;
}

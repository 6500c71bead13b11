import { parseArgs } from "node:util";
import { contestants } from "./contestants.js";

export interface Options {
  readonly command: "run" | "smoke" | "soak" | "got";
  readonly only: readonly string[];
  readonly rounds: number;
  /** Seconds of load for one contestant in one workload and one round. */
  readonly seconds: number;
  /** Response time of the emulated PIOPIY in milliseconds, where throughput is measured. */
  readonly delayMs: number;
  readonly minutes: number;
  readonly quick: boolean;
  readonly write: boolean;
}

const USAGE = `npm run bench -- [run | smoke | soak | got] [options]

  smoke         check that each contestant starts and returns valid responses

  --only a,b    run these contestants only: ${contestants.map(({ name }) => name).join(", ")}
  --rounds n    number of rounds (3)
  --seconds n   seconds of load for each measurement (2)
  --delay ms    response time of the emulated PIOPIY, where throughput is measured (2)
  --quick       run one short round, for a first look at a change
  --write       write RESULTS.md, as a full run does
  --minutes n   duration of a soak test in minutes (10)`;

/** Parses the command line. Throws an error with the usage when an option or a value is invalid. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [command = "run", ...more] = positionals;
  if (more.length > 0 || !isCommand(command)) throw new Error(USAGE);
  const only = values.only?.split(",") ?? contestants.map(({ name }) => name);
  const unknown = only.filter((name) => !contestants.some((contestant) => contestant.name === name));
  if (unknown.length > 0)
    throw new Error(`--only has unknown contestants: ${unknown.join(", ")}\n\n${USAGE}`);
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

function isCommand(text: string): text is Options["command"] {
  return ["run", "smoke", "soak", "got"].includes(text);
}

/** Returns whether a run is complete, so that its results replace those in RESULTS.md. */
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
  if (!(value >= least))
    throw new Error(`--${name} must be a number of at least ${least} (got ${text})\n\n${USAGE}`);
  return value;
}

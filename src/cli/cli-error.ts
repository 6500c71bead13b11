/** The exit codes of the command line. */
export const EXIT = {
  done: 0,
  /** Something failed; each failure has been reported. */
  failed: 1,
  /** Wrong options, or an invalid file: nothing has been sent. */
  usage: 2,
  /** The gateway is not reachable, or it refuses the credential. */
  gateway: 3,
  /** Stopped by Ctrl-C: 128 and the number of the signal, as shells report it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error that ends the command: its message is printed without a stack, and contains no secret. */
export class CliError extends Error {
  /** @param results what `--json` prints beside the error */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly results: object = {},
  ) {
    super(message);
  }
}

/** Returns a short reason for a message, such as `ENOENT` or `ECONNREFUSED`. */
export function reasonOf(error: unknown): string {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return String(code ?? name ?? "unknown error");
}

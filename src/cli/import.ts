import { formatValue } from "../format-value.js";
import { type BatchResult, formatFailure, sendInBatches } from "./batches.js";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { type Gateway, graphql } from "./gateway.js";
import { IdempotencyKey } from "./idempotency-key.js";
import { type ImportRow, parseImport, readInput } from "./import-file.js";
import {
  formatCsv,
  PasswordFile,
  type PasswordOptions,
  readPasswordFile,
  requireDestination,
  type UserPassword,
} from "./password-file.js";
import { type KnownPasswords, refuseInput, refuseOtherPasswords } from "./refused-passwords.js";
import { note, Progress, print } from "./terminal.js";

const importDocument = graphql(/* GraphQL */ `
  mutation SipImport($input: CreateSipEndpointsInput!) {
    createSipEndpoints(input: $input) {
      results {
        username
        password
        userErrors {
          code
          message
        }
        error {
          code
          message
          retryable
        }
      }
      created
      userErrors {
        code
        message
      }
    }
  }
`);

export interface ImportOptions extends PasswordOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

type Status = "done" | "existing" | "failed";

interface RowOutcome {
  readonly row: ImportRow;
  readonly status: Status;
  readonly message?: string;
  readonly password?: string | undefined;
}

/** Existing endpoints that a message names. */
const SHOWN_ROWS = 5;

/**
 * Creates the endpoints of a CSV file. Sends nothing if a line has a mistake. Repeated after a failure, a crash or an
 * interruption, the import creates what is missing, and the password file then has all passwords.
 *
 * @param signal ends the import after the requests in progress
 */
export async function importEndpoints(
  gateway: Gateway,
  path: string,
  options: ImportOptions,
  signal: AbortSignal,
): Promise<ExitCode> {
  const { rows, warnings } = parseImport(await readInput(path), path);
  for (const warning of warnings) note(warning);
  refuseInput(path, options.passwords);
  if (!options.dryRun && rows.some(({ password }) => password === undefined)) requireDestination(options);
  const run = new ImportRun(gateway, rows, options);
  try {
    await run.send(signal);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    run.report();
    throw new CliError(
      error.exitCode,
      `${error.message} Run the same command again to continue.`,
      run.results(),
    );
  } finally {
    run.close();
  }
  run.report();
  if (options.json) print(JSON.stringify(run.results()));
  if (signal.aborted && run.sent < rows.length) {
    note(`Interrupted after ${run.sent} of ${rows.length} lines. Run the same command again to continue.`);
    return EXIT.interrupted;
  }
  return run.isComplete ? EXIT.done : EXIT.failed;
}

/** One run of an import, with its results. */
class ImportRun {
  readonly #gateway: Gateway;
  readonly #rows: readonly ImportRow[];
  readonly #options: ImportOptions;
  readonly #file: PasswordFile | undefined;
  /** The passwords of an earlier run. */
  readonly #known: KnownPasswords | undefined;
  readonly #key: IdempotencyKey;
  readonly #outcomes: RowOutcome[] = [];
  #created = 0;

  constructor(gateway: Gateway, rows: readonly ImportRow[], options: ImportOptions) {
    const { passwords, force, dryRun } = options;
    this.#gateway = gateway;
    this.#rows = rows;
    this.#options = options;
    this.#key = new IdempotencyKey(passwords && `${passwords}.import-key`);
    const usernames = new Set(rows.map(({ username }) => username));
    const continuation = { usernames, canRestore: this.#key.isKept };
    if (passwords !== undefined && !dryRun) {
      this.#file = PasswordFile.open(passwords, { isForced: force, ...continuation });
    }
    const kept =
      passwords !== undefined && dryRun && !force ? readPasswordFile(passwords, continuation) : undefined;
    this.#known = this.#file ?? (kept && { passwordOf: (username) => kept.passwords.get(username) });
    if (this.#known) refuseOtherPasswords(rows, this.#known);
    if (!dryRun) this.#key.save();
  }

  /** The number of rows with a final result. */
  get sent(): number {
    return this.#outcomes.length;
  }

  get isComplete(): boolean {
    return this.sent === this.#rows.length && this.#of("failed").length === 0;
  }

  async send(signal: AbortSignal): Promise<void> {
    const showsPasswords = this.#options.showPasswords && !this.#options.json;
    if (showsPasswords) print("username,password");
    const progress = new Progress(this.#rows.length);
    try {
      for await (const results of sendInBatches(this.#rows, (batch) => this.#create(batch, signal), signal)) {
        const outcomes = results.map(([row, result]) => this.#outcomeOf(row, result));
        const logins = outcomes.flatMap(({ row, password }): UserPassword[] =>
          password === undefined ? [] : [{ username: row.username, password }],
        );
        // Without a result, an older file is not replaced.
        if (logins.length > 0) this.#file?.add(logins);
        for (const { username, password } of showsPasswords ? logins : []) {
          process.stdout.write(formatCsv([[username, password]]));
        }
        this.#outcomes.push(...outcomes);
        progress.update(this.sent);
      }
    } finally {
      progress.stop();
    }
    if (this.isComplete && !this.#options.dryRun) this.#key.remove();
  }

  /** Returns the counts and the result of each row, in the order of the file. */
  results() {
    const failed = this.#of("failed").length;
    return {
      created: this.#created,
      existing: this.sent - this.#created - failed,
      failed,
      notSent: this.#rows.length - this.sent,
      results: this.#sorted().map((outcome) => this.#toJson(outcome)),
    };
  }

  /** Prints the counts, each row that failed, and the rows whose password is unknown. */
  report(): void {
    for (const { row, message } of this.#of("failed")) {
      note(`line ${row.line}: ${formatValue(row.username)}: ${message}`);
    }
    const unknown = this.#of("existing");
    if (unknown.length > 0) {
      const shown = unknown
        .slice(0, SHOWN_ROWS)
        .map(({ row }) => `${formatValue(row.username)} (line ${row.line})`);
      const more = unknown.length > SHOWN_ROWS ? ` and ${unknown.length - SHOWN_ROWS} others` : "";
      note(`${shown.join(", ")}${more}: ${unknown[0]?.message}`);
    }
    const { created, existing, failed, notSent } = this.results();
    const counts = this.#options.dryRun ? `Dry run: would create ${created}` : `created ${created}`;
    const suffix = notSent > 0 ? `, not sent ${notSent}` : "";
    note(`${counts}, existing ${existing}, failed ${failed}${suffix}`);
  }

  close(): void {
    this.#file?.close();
  }

  async #create(batch: readonly ImportRow[], signal: AbortSignal) {
    const { data } = await this.#gateway.execute(
      importDocument,
      {
        input: {
          items: batch.map((row) => ({ username: row.username, password: this.#passwordOf(row) ?? null })),
          idempotencyKey: this.#key.text,
          dryRun: this.#options.dryRun ?? false,
        },
      },
      signal,
    );
    const payload = data.createSipEndpoints;
    if (!payload || payload.userErrors.length > 0) {
      const messages = payload?.userErrors.map(({ message, code }) => `${message} (${code})`) ?? [];
      throw new CliError(EXIT.failed, messages.join("\n") || "The gateway returned no results.");
    }
    this.#created += payload.created;
    return payload.results;
  }

  /** Returns the password to send: that of the row, or that of a run before this one. */
  #passwordOf({ username, password }: ImportRow): string | undefined {
    return password ?? this.#known?.passwordOf(username);
  }

  #outcomeOf(row: ImportRow, result: BatchResult & { readonly password?: string | null }): RowOutcome {
    const isTaken = result.userErrors.some(({ code }) => code === "USERNAME_TAKEN");
    if (isTaken && this.#passwordOf(row) !== undefined) {
      return { row, status: "failed", message: "It exists already, with another password." };
    }
    if (isTaken) {
      return {
        row,
        status: "existing",
        message:
          "Exists already, and this import did not create it, so the password is unknown. To replace a password: sip rotate.",
      };
    }
    const message = formatFailure(result);
    if (message) return { row, status: "failed", message };
    return { row, status: "done", password: result.password ?? undefined };
  }

  #of(status: Status): RowOutcome[] {
    return this.#sorted().filter((outcome) => outcome.status === status);
  }

  /** Returns the results in the order of the file: repeated rows have their results later. */
  #sorted(): RowOutcome[] {
    return this.#outcomes.toSorted((one, other) => one.row.line - other.row.line);
  }

  #toJson({ row, status, message, password }: RowOutcome): object {
    const { line, username } = row;
    return { line, username, status, message, password: this.#options.showPasswords ? password : undefined };
  }
}

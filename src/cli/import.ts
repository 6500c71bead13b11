import { formatValue } from "../format-value.js";
import { type BatchResult, formatFailure, sendInBatches } from "./batches.js";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { type Gateway, graphql } from "./gateway.js";
import { type ImportRow, parseImport, readInput } from "./import-file.js";
import { ImportKey } from "./import-key.js";
import {
  formatCsv,
  PasswordFile,
  type PasswordOptions,
  requireDestination,
  type UserPassword,
} from "./password-file.js";
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
  if (!options.dryRun && rows.some(({ password }) => password === undefined)) requireDestination(options);
  const run = new ImportRun(gateway, rows, options);
  try {
    await run.send(signal);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    run.report();
    throw new CliError(error.exitCode, `${error.message} Run the same command again to continue.`);
  } finally {
    run.close();
  }
  run.report();
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
  readonly #key: ImportKey;
  readonly #outcomes: RowOutcome[] = [];
  #created = 0;

  constructor(gateway: Gateway, rows: readonly ImportRow[], options: ImportOptions) {
    const { passwords, force, dryRun } = options;
    this.#gateway = gateway;
    this.#rows = rows;
    this.#options = options;
    const usernames = new Set(rows.map(({ username }) => username));
    this.#file =
      passwords === undefined || dryRun ? undefined : PasswordFile.open(passwords, usernames, force);
    this.#refuseOtherPasswords();
    this.#key = new ImportKey(this.#file && passwords);
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
        this.#file?.add(logins);
        for (const { username, password } of showsPasswords ? logins : []) {
          process.stdout.write(formatCsv([[username, password]]));
        }
        this.#outcomes.push(...outcomes);
        progress.update(this.sent);
      }
    } finally {
      progress.stop();
    }
    if (this.isComplete) this.#key.remove();
  }

  /** Prints the counts, and each row that failed or whose password is unknown. */
  report(): void {
    const failed = this.#of("failed");
    const existing = this.sent - this.#created - failed.length;
    const notSent = this.#rows.length - this.sent;
    for (const { row, message } of [...this.#of("existing"), ...failed]) {
      note(`line ${row.line}: ${formatValue(row.username)}: ${message}`);
    }
    if (this.#options.json) {
      print(
        JSON.stringify({
          created: this.#created,
          existing,
          failed: failed.length,
          notSent,
          results: this.#outcomes.map((outcome) => this.#toJson(outcome)),
        }),
      );
    }
    const prefix = this.#options.dryRun ? "Dry run: " : "";
    const suffix = notSent > 0 ? `, not sent ${notSent}` : "";
    note(`${prefix}created ${this.#created}, existing ${existing}, failed ${failed.length}${suffix}`);
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
    return password ?? this.#file?.passwordOf(username);
  }

  #outcomeOf(row: ImportRow, result: BatchResult & { readonly password?: string | null }): RowOutcome {
    const isTaken = result.userErrors.some(({ code }) => code === "USERNAME_TAKEN");
    if (isTaken && this.#passwordOf(row) !== undefined && !this.#options.dryRun) {
      return { row, status: "failed", message: "It exists already, with another password." };
    }
    if (isTaken) {
      return {
        row,
        status: "existing",
        message:
          "It exists already, and this import did not create it, so its password is unknown. To replace the password: sip rotate.",
      };
    }
    const message = formatFailure(result);
    if (message) return { row, status: "failed", message };
    return { row, status: "done", password: result.password ?? undefined };
  }

  #of(status: Status): RowOutcome[] {
    return this.#outcomes.filter((outcome) => outcome.status === status);
  }

  #toJson({ row, status, message, password }: RowOutcome): object {
    const { line, username } = row;
    return { line, username, status, message, password: this.#options.showPasswords ? password : undefined };
  }

  #refuseOtherPasswords(): void {
    const other = this.#rows.filter(({ username, password }) => {
      const known = this.#file?.passwordOf(username);
      return password !== undefined && known !== undefined && known !== password;
    });
    if (other.length === 0) return;
    const lines = other.map(({ line, username }) => `  line ${line}: ${formatValue(username)}`);
    throw new CliError(
      EXIT.usage,
      `The password file has another password than the import for these lines. Nothing has been sent. Remove the passwords from ` +
        `one of the files, or overwrite the password file with --force.\n${lines.join("\n")}`,
    );
  }
}

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { formatValue } from "../format-value.js";
import { CliError, EXIT, reasonOf } from "./cli-error.js";

const HEADER = ["username", "password"];
const OWNER_ONLY = 0o600;

/** A SIP endpoint and its password. */
export interface UserPassword {
  readonly username: string;
  readonly password: string;
}

/** Options that say where passwords go. */
export interface PasswordOptions {
  readonly passwords?: string;
  readonly showPasswords?: boolean;
  readonly force?: boolean;
}

/** Throws unless the options say where generated passwords go. */
export function requireDestination({ passwords, showPasswords }: PasswordOptions): void {
  if (passwords !== undefined || showPasswords) return;
  throw new CliError(
    EXIT.usage,
    "The command generates passwords. Name a new file for them with --passwords FILE, or show them with --show-passwords.",
  );
}

/** Formats records as CSV. */
export function formatCsv(records: readonly (readonly string[])[]): string {
  return stringify(records.map((record) => [...record]));
}

/** Writes a file that only its owner can read. Refuses to overwrite a file unless `isForced`. */
export function writePrivateFile(path: string, content: string | Buffer, isForced = false): void {
  try {
    const descriptor = openSync(path, isForced ? "w" : "wx", OWNER_ONLY);
    fchmodSync(descriptor, OWNER_ONLY);
    writeFileSync(descriptor, content);
    closeSync(descriptor);
  } catch (error) {
    throw reasonOf(error) === "EEXIST" ? existsError(path) : writeError(path, error);
  }
}

/**
 * A CSV file with the columns `username` and `password` that only its owner can read. Every line is complete: a line that was cut
 * off by a crash is removed when the file is opened again.
 */
export class PasswordFile {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #passwords: Map<string, string>;

  private constructor(path: string, descriptor: number, passwords: Map<string, string>) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#passwords = passwords;
  }

  /**
   * Creates the file, or continues an existing one. A file with another username, or with other content, is refused unless
   * `isForced`, which empties it.
   *
   * @param usernames the usernames that a continued file may contain
   */
  static open(path: string, usernames: ReadonlySet<string>, isForced = false): PasswordFile {
    if (path === "-") {
      throw new CliError(
        EXIT.usage,
        "--passwords must name a file (got -). To print passwords, use --show-passwords.",
      );
    }
    try {
      const descriptor = openSync(path, "wx+", OWNER_ONLY);
      return PasswordFile.#start(path, descriptor);
    } catch (error) {
      if (reasonOf(error) !== "EEXIST") throw writeError(path, error);
    }
    const descriptor = openExisting(path);
    const content = isForced ? "" : readFileSync(descriptor, "utf8");
    const end = content.lastIndexOf("\n") + 1;
    const passwords = parsePasswords(content.slice(0, end), path);
    // All of the file may be the line that was cut off.
    if (end === 0 && !`${HEADER}`.startsWith(content)) throw foreignError(path);
    const other = [...passwords.keys()].find((username) => !usernames.has(username));
    if (other !== undefined) throw otherUsernameError(path, other);
    fchmodSync(descriptor, OWNER_ONLY);
    ftruncateSync(descriptor, Buffer.byteLength(content.slice(0, end)));
    if (end === 0) return PasswordFile.#start(path, descriptor);
    return new PasswordFile(path, descriptor, passwords);
  }

  static #start(path: string, descriptor: number): PasswordFile {
    const file = new PasswordFile(path, descriptor, new Map());
    file.#append([HEADER]);
    return file;
  }

  /** Returns the password of a username in the file. */
  passwordOf(username: string): string | undefined {
    return this.#passwords.get(username);
  }

  /** Appends the logins that the file does not have, and waits until they are on the disk. */
  add(logins: readonly UserPassword[]): void {
    const added = logins.filter(({ username, password }) => this.#passwords.get(username) !== password);
    for (const { username, password } of added) this.#passwords.set(username, password);
    if (added.length > 0) this.#append(added.map(({ username, password }) => [username, password]));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #append(records: readonly (readonly string[])[]): void {
    try {
      for (const record of records) writeSync(this.#descriptor, formatCsv([record]));
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw writeError(this.#path, error);
    }
  }
}

function openExisting(path: string): number {
  try {
    // Appends, and can also read.
    return openSync(path, "a+");
  } catch (error) {
    throw writeError(path, error);
  }
}

function parsePasswords(content: string, path: string): Map<string, string> {
  let records: string[][];
  try {
    records = parse(content, { bom: true, relax_column_count: true, skip_empty_lines: true });
  } catch {
    throw foreignError(path);
  }
  const [header = HEADER, ...logins] = records;
  if (`${header}` !== `${HEADER}` || !logins.every(isUserPassword)) {
    throw foreignError(path);
  }
  return new Map(logins.map(([username = "", password = ""]) => [username, password]));
}

function isUserPassword(record: readonly string[]): boolean {
  return record.length === HEADER.length && !record.includes("");
}

function foreignError(path: string): CliError {
  return new CliError(
    EXIT.usage,
    `The file ${formatValue(path)} exists and is not a password file. It must have the columns ${HEADER}, with a value in each. ` +
      "Name a new file, or overwrite this one with --force.",
  );
}

function otherUsernameError(path: string, username: string): CliError {
  return new CliError(
    EXIT.usage,
    `The password file ${formatValue(path)} exists, and the command does not create its SIP endpoint ${formatValue(username)}. ` +
      "Name a new file, or overwrite this one with --force.",
  );
}

function existsError(path: string): CliError {
  return new CliError(
    EXIT.usage,
    `The file ${formatValue(path)} exists. Name a new file, or overwrite this one with --force.`,
  );
}

function writeError(path: string, error: unknown): CliError {
  return new CliError(EXIT.usage, `The file ${formatValue(path)} cannot be written (${reasonOf(error)}).`);
}

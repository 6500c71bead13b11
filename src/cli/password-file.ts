import {
  closeSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { parse } from "csv-parse/sync";
import { stringify } from "csv-stringify/sync";
import { formatValue } from "../format-value.js";
import { CliError, EXIT, reasonOf } from "./cli-error.js";
import { lockFile } from "./file-lock.js";
import { existsError, OWNER_ONLY, targetOf, writeError } from "./private-file.js";

const HEADER = ["username", "password"];

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

/** How an existing password file is continued. */
export interface Continuation {
  /** The usernames that a continued file may contain; undefined: an existing file is not continued. */
  readonly usernames?: ReadonlySet<string> | undefined;
  /** Whether the gateway returns the password of a line again that a crash has cut off. */
  readonly canRestore?: boolean;
}

interface Content {
  readonly passwords: Map<string, string>;
  /** The size of the complete records in bytes. */
  readonly size: number;
  readonly lacksLineEnd: boolean;
}

/**
 * A CSV file with the columns `username` and `password` that only its owner can read. Every line is complete: a line that was cut
 * off by a crash is removed when the file is opened again. A new file gets its name when it has its first passwords, and
 * only then replaces an older file: a command that fails changes nothing.
 */
export class PasswordFile {
  /** The path of the file. A link has been followed. */
  readonly #path: string;
  readonly #descriptor: number;
  readonly #passwords: Map<string, string>;
  readonly #release: () => void;
  readonly #closeAtExit = () => this.close();
  #state: "new" | "named" | "closed";

  private constructor(
    path: string,
    descriptor: number,
    release: () => void,
    passwords?: Map<string, string>,
  ) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#release = release;
    this.#passwords = passwords ?? new Map();
    this.#state = passwords ? "named" : "new";
    process.once("exit", this.#closeAtExit);
  }

  /**
   * Starts a new file, or continues an existing one. An existing file that is not to be continued, or has other content, is
   * refused unless `isForced`.
   */
  static open(
    path: string,
    { isForced = false, ...continuation }: Continuation & { isForced?: boolean | undefined } = {},
  ) {
    if (path === "-") {
      throw new CliError(
        EXIT.usage,
        "--passwords must name a file (got -). To print passwords, use --show-passwords.",
      );
    }
    const target = targetOf(path);
    const release = lockFile(target);
    try {
      const content = isForced ? undefined : readPasswordFile(path, continuation);
      return content
        ? PasswordFile.#continue(target, content, release)
        : PasswordFile.#start(target, release);
    } catch (error) {
      release();
      throw error instanceof CliError ? error : writeError(path, error);
    }
  }

  static #start(path: string, release: () => void): PasswordFile {
    const unfinished = nameOfNew(path);
    rmSync(unfinished, { force: true });
    const file = new PasswordFile(path, openSync(unfinished, "wx", OWNER_ONLY), release);
    file.#append([HEADER]);
    return file;
  }

  static #continue(
    path: string,
    { passwords, size, lacksLineEnd }: Content,
    release: () => void,
  ): PasswordFile {
    const descriptor = openSync(path, "a");
    fchmodSync(descriptor, OWNER_ONLY);
    ftruncateSync(descriptor, size);
    if (lacksLineEnd) writeSync(descriptor, "\n");
    return new PasswordFile(path, descriptor, release, passwords);
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
    if (this.#state !== "new") return;
    // The passwords remain in the unfinished file if it cannot be renamed.
    this.#state = "named";
    const unfinished = nameOfNew(this.#path);
    try {
      renameSync(unfinished, this.#path);
    } catch (error) {
      throw new CliError(
        EXIT.failed,
        `The file ${formatValue(this.#path)} cannot be written (${reasonOf(error)}). The passwords are in ${formatValue(unfinished)}.`,
      );
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    closeSync(this.#descriptor);
    if (this.#state === "new") rmSync(nameOfNew(this.#path), { force: true });
    this.#state = "closed";
    this.#release();
    process.off("exit", this.#closeAtExit);
  }

  #append(records: readonly (readonly string[])[]): void {
    try {
      for (const record of records) writeSync(this.#descriptor, formatCsv([record]));
      fsyncSync(this.#descriptor);
    } catch (error) {
      // The header is written before anything is sent.
      throw writeError(this.#path, error, records[0] === HEADER ? EXIT.usage : EXIT.failed);
    }
  }
}

/** Reads a password file that is to be continued. Returns undefined if there is none, or only a part of its header. */
export function readPasswordFile(
  path: string,
  { usernames, canRestore = false }: Continuation,
): Content | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(targetOf(path));
  } catch (error) {
    if (reasonOf(error) === "ENOENT") return undefined;
    throw error instanceof CliError ? error : writeError(path, error);
  }
  if (!usernames) throw existsError(path);
  const end = bytes.lastIndexOf("\n") + 1;
  const last = bytes.toString("utf8", end);
  if (end === 0 && `${HEADER}`.startsWith(last)) return undefined;
  if (end === 0) throw foreignError(path);
  // An editor may remove the last line end. After a crash, a part of a password looks like a password.
  const isComplete = !canRestore && parseLine(last).some(isUserPassword);
  const size = isComplete ? bytes.length : end;
  const passwords = parsePasswords(bytes.toString("utf8", 0, size), path);
  const other = [...passwords.keys()].find((username) => !usernames.has(username));
  if (other !== undefined) throw otherUsernameError(path, other);
  return { passwords, size, lacksLineEnd: isComplete };
}

function nameOfNew(path: string): string {
  return `${path}.new`;
}

function parseLine(line: string): string[][] {
  try {
    return parse(line, { relax_column_count: true });
  } catch {
    return [];
  }
}

function parsePasswords(content: string, path: string): Map<string, string> {
  let records: string[][];
  try {
    // An editor may have changed the line ends of some of the lines.
    records = parse(content.replaceAll(/\r\n?/g, "\n"), {
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
    });
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
    `The password file ${formatValue(path)} has the SIP endpoint ${formatValue(username)}, which this command does not create. ` +
      "Name a new file, or overwrite this one with --force.",
  );
}

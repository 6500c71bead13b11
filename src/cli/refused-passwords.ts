import { fstatSync, statSync } from "node:fs";
import { formatValue } from "../format-value.js";
import { CliError, EXIT } from "./cli-error.js";
import type { ImportRow } from "./import-file.js";
import type { PasswordFile } from "./password-file.js";

export type KnownPasswords = Pick<PasswordFile, "passwordOf">;

/** Throws if the passwords would overwrite the file that is imported, also under another name. */
export function refuseInput(path: string, passwords: string | undefined): void {
  const options = { throwIfNoEntry: false } as const;
  const output = passwords === undefined ? undefined : statSync(passwords, options);
  if (!output) return;
  const input = path === "-" ? fstatSync(process.stdin.fd) : statSync(path, options);
  if (input?.dev !== output.dev || input.ino !== output.ino) return;
  throw new CliError(
    EXIT.usage,
    `The password file is the imported file ${formatValue(passwords)}. Name a new file with --passwords.`,
  );
}

/** Throws if rows have other passwords than the password file. */
export function refuseOtherPasswords(rows: readonly ImportRow[], file: KnownPasswords): void {
  const other = rows.filter(({ username, password }) => {
    const known = file.passwordOf(username);
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

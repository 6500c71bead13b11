import { createReadStream } from "node:fs";
import { parse } from "csv-parse/sync";
import { formatValue } from "../format-value.js";
import { Secret } from "../secret.js";
import { isPassword, PASSWORD_RULE } from "../sip/password.js";
import { isNewUsername, NEW_USERNAME_RULE } from "../sip/username.js";
import { CliError, EXIT, reasonOf } from "./cli-error.js";

const MAX_BYTES = 10_000_000;
const MAX_LINES = 100_000;
const HEADERS = ["username", "username,password"];
/** Lines after an open quote in which its other quote is searched. */
const MAX_VALUE_LINES = 10;

/** An endpoint to create. */
export interface ImportRow {
  /** The line in the file, from 1, the header being line 1. */
  readonly line: number;
  readonly username: string;
  /** Undefined: the gateway generates one. */
  readonly password: string | undefined;
}

export interface ImportFile {
  readonly rows: readonly ImportRow[];
  readonly warnings: readonly string[];
}

interface Mistake {
  readonly line: number;
  readonly message: string;
}

/** Reads a file, or the standard input for `-`. Refuses more than 10 MB. */
export async function readInput(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of path === "-" ? process.stdin : createReadStream(path)) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_BYTES) break;
    }
  } catch (error) {
    throw new CliError(EXIT.usage, `${nameOf(path)} cannot be read (${reasonOf(error)}).`);
  }
  if (size > MAX_BYTES) {
    throw new CliError(
      EXIT.usage,
      `${nameOf(path)} has more than ${MAX_BYTES} bytes. Split it, and import the parts one after the other.`,
    );
  }
  return Buffer.concat(chunks);
}

/**
 * Parses a CSV file with the header `username` or `username,password`. Throws an error with all mistakes of all lines.
 *
 * @param path the name of the file, for messages
 */
export function parseImport(content: Buffer, path: string): ImportFile {
  const text = decode(content, path);
  const count = text.split("\n").length;
  if (count > MAX_LINES) {
    throw new CliError(
      EXIT.usage,
      `${nameOf(path)} has ${count} lines, and at most ${MAX_LINES} are allowed. Split it, and import the parts one after the other.`,
    );
  }
  const mistakes: Mistake[] = [];
  const [header, ...records] = parseRecords(text, mistakes);
  const columns = header?.fields.length ?? 0;
  if (!header || header.line !== 1 || !HEADERS.includes(header.fields.join(","))) {
    const found = header?.line === 1 ? formatValue(header.fields.join(",")) : "nothing";
    const advice = header?.line === 1 ? headerAdvice(header.fields.join(",")) : "";
    mistakes.push({
      line: 1,
      message: `The header must be ${HEADERS.join(" or ")} (got ${found}).${advice}`,
    });
    // Without the header, the meaning of the columns is unknown.
    throw mistakesError(path, mistakes);
  }
  const rows = records.flatMap(({ line, fields }) => {
    const found = rowMistakes(fields, columns);
    mistakes.push(...found.map((message) => ({ line, message })));
    const [username = "", password = ""] = fields;
    return fields.length > columns ? [] : [{ line, username, password: password || undefined }];
  });
  mistakes.push(...repetitions(rows, (name) => name).map(repeatedMistake));
  if (rows.length === 0 && mistakes.length === 0)
    mistakes.push({ line: 1, message: "No SIP endpoint follows the header." });
  if (mistakes.length > 0) throw mistakesError(path, mistakes);
  return { rows, warnings: repetitions(rows, (name) => name.toLowerCase()).map(caseWarning) };
}

function decode(content: Buffer, path: string): string {
  try {
    // Removes the byte order mark. One kind of line end keeps the line numbers right inside quotes too.
    return new TextDecoder("utf-8", { fatal: true }).decode(content).replaceAll(/\r\n?/g, "\n");
  } catch {
    throw new CliError(
      EXIT.usage,
      `${nameOf(path)} is not valid UTF-8. Save it as "CSV UTF-8" and import it again.`,
    );
  }
}

/** Returns how to change a header that is nearly valid. */
function headerAdvice(header: string): string {
  if (/[;\t]/.test(header)) return " Save the file with commas between the columns.";
  if (HEADERS.includes(header.toLowerCase().replaceAll(" ", ""))) {
    return " Write it in lower case and without spaces.";
  }
  return "";
}

interface CsvRecord {
  readonly line: number;
  readonly fields: string[];
}

/** Returns the records with their first lines. A record that is no valid CSV is a mistake, and the others are still read. */
function parseRecords(text: string, mistakes: Mistake[]): CsvRecord[] {
  const lines = text.split("\n");
  const records: CsvRecord[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    const record = parseRecord(lines[index] ?? "");
    if (typeof record !== "string") {
      if (record.length > 0) records.push({ line, fields: record });
      continue;
    }
    // A value may contain line ends. Otherwise, the lines after a quote that is not closed are records.
    const end = lines.slice(index + 1, index + 1 + MAX_VALUE_LINES).findIndex(hasOpenQuote) + index + 1;
    const joined = end > index ? parseRecord(lines.slice(index, end + 1).join("\n")) : record;
    if (typeof joined !== "string") {
      records.push({ line, fields: joined });
      index = end;
      continue;
    }
    const reason =
      record === "CSV_QUOTE_NOT_CLOSED" ? "A quote is not closed" : `The quotes are invalid (${record})`;
    mistakes.push({
      line,
      message: `${reason}. Put the whole value in quotes, and double each quote in it.`,
    });
  }
  return records;
}

function hasOpenQuote(line: string): boolean {
  return line.split('"').length % 2 === 0;
}

/** Returns the fields of a record, none for an empty line, or the code of the error. */
function parseRecord(text: string): string[] | string {
  if (!text.includes('"')) return text === "" ? [] : text.split(",");
  try {
    return (parse(text, { record_delimiter: "\r" }) as string[][])[0] ?? [];
  } catch (error) {
    return reasonOf(error);
  }
}

/** Returns the mistakes of a row. They contain no password. */
function rowMistakes(fields: readonly string[], columns: number): string[] {
  if (fields.length > columns) {
    const advice = columns === 2 ? " Put a value with a comma in quotes." : "";
    return [
      `The line has ${fields.length} columns, and the header has ${columns}. Remove the others.${advice}`,
    ];
  }
  const [username = "", password = ""] = fields;
  return [
    ...usernameMistakes(username),
    ...(password === "" || isPassword(new Secret(password))
      ? []
      : [`The password is invalid. It ${PASSWORD_RULE}. Leave it empty to have one generated.`]),
  ];
}

/** Returns what is wrong with the name of an endpoint to create. */
export function usernameMistakes(username: string): string[] {
  return isNewUsername(username)
    ? []
    : [`The username ${formatValue(username)} is invalid. It ${NEW_USERNAME_RULE}.`];
}

interface Repetition {
  readonly first: ImportRow;
  readonly row: ImportRow;
}

/** Returns the rows whose username occurs before, after a normalization that changes names. */
function repetitions(rows: readonly ImportRow[], normalize: (name: string) => string): Repetition[] {
  const seen = new Map<string, ImportRow>();
  return rows.flatMap((row) => {
    const name = normalize(row.username);
    const first = seen.get(name);
    if (!first) seen.set(name, row);
    return first && row.username !== "" ? [{ first, row }] : [];
  });
}

function repeatedMistake({ first, row }: Repetition): Mistake {
  return {
    line: row.line,
    message: `The username ${formatValue(row.username)} is on line ${first.line} too. Remove one of the lines.`,
  };
}

function caseWarning({ first, row }: Repetition): string {
  return (
    `Line ${row.line}: ${formatValue(row.username)} differs from ${formatValue(first.username)} on line ${first.line} in letter case only. ` +
    "PIOPIY does not document whether these are the same username."
  );
}

function mistakesError(path: string, mistakes: readonly Mistake[]): CliError {
  const lines = mistakes
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, message }) => `  line ${line}: ${message}`);
  const count = mistakes.length === 1 ? "1 mistake" : `${mistakes.length} mistakes`;
  return new CliError(
    EXIT.usage,
    `${nameOf(path)} has ${count}. No SIP endpoint has been created.\n${lines.join("\n")}`,
  );
}

function nameOf(path: string): string {
  return path === "-" ? "The standard input" : `The file ${formatValue(path)}`;
}

/** What a program can act upon; the graph describes each code. */
export type PcmoProblemCode =
  | "WRONG_TYPE"
  | "NUMBER_AS_TEXT"
  | "MISSING_KEY"
  | "UNKNOWN_KEY"
  | "CONFLICTING_KEYS"
  | "UNKNOWN_ACTION"
  | "INVALID_VALUE"
  | "INVALID_URL"
  | "INVALID_PHONE_NUMBER"
  | "INVALID_USERNAME"
  | "EMPTY_TEXT"
  | "OUT_OF_RANGE"
  | "NO_ACTIONS"
  | "NO_TARGETS"
  | "TOO_MANY_TARGETS"
  | "DUPLICATE_TARGET"
  | "UNREACHABLE_ACTION"
  | "UNCERTAIN_ACTION"
  | "UNCERTAIN_FILE_TYPE"
  | "UNDOCUMENTED_KEY"
  | "MORE_PROBLEMS";

/** What is wrong, or unwise, in a PCMO document. */
export interface PcmoProblem {
  /** RFC 6901; it leads to a value that the document has. */
  readonly pointer: string;
  readonly code: PcmoProblemCode;
  readonly severity: "ERROR" | "WARNING";
  readonly message: string;
}

/** Writes a path as a JSON pointer (RFC 6901): empty for the whole document. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

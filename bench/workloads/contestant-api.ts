/** How a contestant is asked for the work, and how its answers read. All dialects ask for the same fields. */
export interface Dialect {
  /** A request for one endpoint. */
  one(username: string): string;
  readOne(answer: unknown): unknown;
  /** A request with two aliases for each name. Undefined: the contestant takes one name a request only. */
  readonly many?: (usernames: readonly string[]) => string;
  readonly readMany?: (answer: unknown) => unknown[];
  /** A request for a page with all fields; both numbers are multiples of ten. */
  readonly rows?: (offset: number, first: number) => string;
  readonly readRows?: (answer: unknown) => { nodes: unknown[]; totalCount: unknown };
}

export const FIELDS = "fragment F on SipEndpoint { username connectUrl sipUri audio video type }";

/** A document with two aliases a name, and its variables. */
export function aliases(
  usernames: readonly string[],
  type: string,
  field: (variable: string) => string,
): string {
  const variables = usernames.map((_, index) => `$n${index}`);
  const fields = [...variables, ...variables].map((name, index) => `a${index}: ${field(name)} { ...F }`);
  return JSON.stringify({
    query: `query Many(${variables.map((name) => `${name}: ${type}`).join(", ")}) { ${fields.join(" ")} } ${FIELDS}`,
    variables: Object.fromEntries(usernames.map((username, index) => [`n${index}`, username])),
  });
}

/** What is under `data`, by name. */
export function dataOf(answer: unknown): Record<string, unknown> {
  return (answer as { data: Record<string, unknown> }).data;
}

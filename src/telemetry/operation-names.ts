import { Kind, parse } from "graphql";
import { truncate } from "../format-value.js";

const MAX_NAMES = 200;

/**
 * The names of operations in metrics: first the names that are added, then the first ones that occur, up to 200. A client could
 * otherwise create any number of time series.
 */
export class OperationNames {
  readonly #names = new Set<string>();

  add(names: readonly string[]): void {
    for (const name of names) if (this.#names.size < MAX_NAMES) this.#names.add(truncate(name));
  }

  /** Returns the name, or `other` if there are too many names. */
  labelOf(name: string | undefined): string {
    if (name === undefined) return "anonymous";
    if (!this.#names.has(name)) this.add([name]);
    return this.#names.has(name) ? name : "other";
  }
}

/** Returns the names of the operations in GraphQL documents. */
export function namesIn(documents: Iterable<string>): string[] {
  return [...documents]
    .flatMap((document) => parse(document).definitions)
    .flatMap((definition) =>
      definition.kind === Kind.OPERATION_DEFINITION && definition.name ? [definition.name.value] : [],
    );
}

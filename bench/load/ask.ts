import type { Question } from "./bodies.js";
import type { HttpConnection } from "./http-connection.js";
import type { Tally } from "./response-stats.js";

/** Asks once and counts the answer. */
export function ask(connection: HttpConnection, { body, holds }: Question, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    const begun = performance.now();
    connection.post(body, (answer) => {
      tally.add(answer, begun, holds);
      resolve();
    });
  });
}

import { formatValue } from "../format-value.js";
import { formatFailure, sendInBatches } from "./batches.js";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { type Gateway, graphql } from "./gateway.js";
import { readInput } from "./import-file.js";
import { canAsk, confirm, note, print } from "./terminal.js";

const removeDocument = graphql(/* GraphQL */ `
  mutation SipRemove($input: RemoveSipEndpointsInput!) {
    removeSipEndpoints(input: $input) {
      results {
        username
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
      userErrors {
        code
        message
      }
    }
  }
`);

/** Names that a message lists. */
const SHOWN_NAMES = 5;

/**
 * Removes endpoints.
 *
 * @param names usernames; `-` reads them from the standard input, one a line
 */
export async function removeEndpoints(
  gateway: Gateway,
  names: readonly string[],
  { yes, json }: { readonly yes?: boolean; readonly json?: boolean },
): Promise<ExitCode> {
  const given = await Promise.all(names.map((name) => (name === "-" ? readNames() : [name])));
  const usernames = [...new Set(given.flat())];
  if (usernames.length === 0) throw new CliError(EXIT.usage, "The standard input has no usernames.");
  const shown = usernames.slice(0, SHOWN_NAMES).map((name) => formatValue(name));
  const more = usernames.length > SHOWN_NAMES ? ` and ${usernames.length - SHOWN_NAMES} others` : "";
  if (!yes && !canAsk()) {
    throw new CliError(
      EXIT.usage,
      "There is no terminal to ask for a confirmation. Add --yes to remove without a question.",
    );
  }
  if (!yes && !(await confirm(`Remove ${shown.join(", ")}${more} permanently?`))) {
    throw new CliError(EXIT.usage, "Nothing has been removed.");
  }
  const removed: string[] = [];
  const failures: { username: string; message: string }[] = [];
  const send = async (batch: readonly string[]) => {
    const { data } = await gateway.execute(removeDocument, { input: { usernames: [...batch] } });
    const payload = data.removeSipEndpoints;
    if (payload && payload.userErrors.length === 0) return payload.results;
    throw new CliError(
      EXIT.failed,
      payload?.userErrors.map(({ message }) => message).join("\n") ?? "No data.",
    );
  };
  const notSent = () => usernames.length - removed.length - failures.length;
  const results = () => ({ removed, failed: failures, notSent: notSent() });
  try {
    for await (const batch of sendInBatches(usernames, send, new AbortController().signal)) {
      for (const [username, result] of batch) {
        const message = formatFailure(result);
        if (message) {
          failures.push({ username, message });
          note(message);
        } else {
          removed.push(username);
          if (!json) print(username);
        }
      }
    }
  } catch (error) {
    throw error instanceof CliError ? new CliError(error.exitCode, error.message, results()) : error;
  }
  if (notSent() > 0) note(`${notSent()} have not been sent. Run the command again.`);
  if (json) print(JSON.stringify(results()));
  return failures.length + notSent() === 0 ? EXIT.done : EXIT.failed;
}

async function readNames(): Promise<string[]> {
  return (await readInput("-")).toString().split(/\r?\n/).filter(Boolean);
}

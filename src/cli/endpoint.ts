import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { formatValue } from "../format-value.js";
import { formatFailure, sendInBatches } from "./batches.js";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { formatError, type Gateway, graphql } from "./gateway.js";
import { readInput } from "./import-file.js";
import { PasswordFile, type PasswordOptions, requireDestination } from "./password-file.js";
import { canAsk, confirm, note, print } from "./terminal.js";

const getDocument = graphql(/* GraphQL */ `
  query SipGet($username: ID!, $withPassword: Boolean!) {
    sipEndpoint(username: $username) {
      username
      sipUri
      audio
      video
      type
      password @include(if: $withPassword)
    }
  }
`);

const createDocument = graphql(/* GraphQL */ `
  mutation SipCreate($input: CreateSipEndpointInput!) {
    createSipEndpoint(input: $input) {
      password
      userErrors {
        code
        message
      }
    }
  }
`);

const rotateDocument = graphql(/* GraphQL */ `
  mutation SipRotate($input: RotateSipEndpointPasswordInput!) {
    rotateSipEndpointPassword(input: $input) {
      password
      userErrors {
        code
        message
      }
    }
  }
`);

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

interface Json {
  readonly json?: boolean;
}

/** An endpoint, as the gateway returns it. */
export interface EndpointDetails {
  readonly username: string;
  readonly sipUri?: string | null;
  readonly audio?: boolean | null;
  readonly video?: boolean | null;
  readonly type?: string | null;
  readonly password?: string | null;
}

/** Reads an endpoint. Throws an error if PIOPIY has none of that name, or if a part of it cannot be read. */
export async function readEndpoint(
  gateway: Gateway,
  username: string,
  withPassword: boolean,
): Promise<EndpointDetails> {
  const { data, errors } = await gateway.execute(getDocument, { username, withPassword });
  if (errors.length > 0) throw new CliError(EXIT.failed, errors.map(formatError).join("\n"));
  if (!data.sipEndpoint) {
    throw new CliError(EXIT.failed, `PIOPIY has no SIP endpoint ${formatValue(username)}.`);
  }
  return data.sipEndpoint;
}

/** Prints an endpoint. */
export async function getEndpoint(
  gateway: Gateway,
  username: string,
  { json, passwords, showPasswords = false, force }: PasswordOptions & Json,
): Promise<ExitCode> {
  const file = passwords === undefined ? undefined : PasswordFile.open(passwords, new Set(), force);
  const { password, ...endpoint } = await readEndpoint(
    gateway,
    username,
    showPasswords || file !== undefined,
  );
  if (password) file?.add([{ username, password }]);
  file?.close();
  printFields({ ...endpoint, ...(showPasswords ? { password } : {}) }, json);
  return EXIT.done;
}

/** Creates an endpoint. */
export async function createEndpoint(
  gateway: Gateway,
  username: string,
  { password: given, ...options }: PasswordOptions & Json & { readonly password?: string },
): Promise<ExitCode> {
  const password = given === "-" ? (await text(process.stdin)).replace(/\r?\n$/, "") : given;
  if (password === undefined) requireDestination(options);
  return setPassword(username, options, async () => {
    // The key makes it safe to send the mutation again within this command.
    const input = { username, password: password ?? null, idempotencyKey: randomUUID() };
    const { data } = await gateway.execute(createDocument, { input });
    return data.createSipEndpoint;
  });
}

/** Replaces the password of an endpoint by a generated one. */
export async function rotateEndpoint(
  gateway: Gateway,
  username: string,
  options: PasswordOptions & Json,
): Promise<ExitCode> {
  requireDestination(options);
  return setPassword(username, options, async () => {
    const { data } = await gateway.execute(rotateDocument, { input: { username } });
    return data.rotateSipEndpointPassword;
  });
}

interface NewPassword {
  readonly password?: string | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

/** Sends a mutation that sets a password, and writes the password to its destination. */
async function setPassword(
  username: string,
  { json, passwords, showPasswords, force }: PasswordOptions & Json,
  send: () => Promise<NewPassword | null | undefined>,
): Promise<ExitCode> {
  // A file that cannot be written is reported before the password is set.
  const file = passwords === undefined ? undefined : PasswordFile.open(passwords, new Set(), force);
  const { password, userErrors } = (await send()) ?? { userErrors: [] };
  if (userErrors.length > 0 || !password) {
    throw new CliError(
      EXIT.failed,
      formatFailure({ username, userErrors }) || "The gateway returned no password.",
    );
  }
  file?.add([{ username, password }]);
  file?.close();
  printFields({ username, ...(showPasswords ? { password } : {}) }, json);
  return EXIT.done;
}

/**
 * Removes endpoints.
 *
 * @param names usernames; `-` reads them from the standard input, one a line
 */
export async function removeEndpoints(
  gateway: Gateway,
  names: readonly string[],
  { yes, json }: Json & { readonly yes?: boolean },
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
  for await (const results of sendInBatches(usernames, send, new AbortController().signal)) {
    for (const [username, result] of results) {
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
  const notSent = usernames.length - removed.length - failures.length;
  if (notSent > 0) note(`${notSent} have not been sent. Run the command again.`);
  if (json) print(JSON.stringify({ removed, failed: failures, notSent }));
  return failures.length + notSent === 0 ? EXIT.done : EXIT.failed;
}

async function readNames(): Promise<string[]> {
  return (await readInput("-")).toString().split(/\r?\n/).filter(Boolean);
}

/** Prints fields as JSON or as lines. */
function printFields(fields: Readonly<Record<string, unknown>>, isJson = false): void {
  if (isJson) print(JSON.stringify(fields));
  else for (const [name, value] of Object.entries(fields)) print(`${name.padEnd(9)} ${value}`);
}

import { text } from "node:stream/consumers";
import { formatValue } from "../format-value.js";
import { formatFailure } from "./batches.js";
import { CliError, EXIT, type ExitCode } from "./cli-error.js";
import { formatError, type Gateway, graphql } from "./gateway.js";
import { IdempotencyKey } from "./idempotency-key.js";
import { usernameMistakes } from "./import-file.js";
import {
  type Continuation,
  PasswordFile,
  type PasswordOptions,
  requireDestination,
} from "./password-file.js";
import { note, print } from "./terminal.js";

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
  const file = passwords === undefined ? undefined : PasswordFile.open(passwords, { isForced: force });
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

/**
 * Creates an endpoint. Repeated after a crash or an interruption, the command returns the same password, because its idempotency
 * key is kept beside the password file.
 */
export async function createEndpoint(
  gateway: Gateway,
  username: string,
  { password: given, ...options }: PasswordOptions & Json & { readonly password?: string },
): Promise<ExitCode> {
  const [mistake] = usernameMistakes(username);
  if (mistake !== undefined) throw new CliError(EXIT.usage, mistake);
  const password = given === "-" ? (await text(process.stdin)).replace(/\r?\n$/, "") : given;
  if (password === undefined) requireDestination(options);
  const { passwords } = options;
  const key = new IdempotencyKey(passwords && `${passwords}.${username}.create-key`);
  const usernames = key.isKept ? new Set([username]) : undefined;
  const advice =
    passwords === undefined && password === undefined
      ? "The SIP endpoint may have been created. To read its password: sip get. To replace it: sip rotate."
      : "The SIP endpoint may have been created. Run the same command again to continue.";
  return setPassword(username, { ...options, usernames, canRestore: key.isKept }, advice, async (file) => {
    key.save();
    const input = {
      username,
      password: password ?? file?.passwordOf(username) ?? null,
      idempotencyKey: key.text,
    };
    const { data } = await gateway.execute(createDocument, { input });
    return [data.createSipEndpoint, () => key.remove()];
  });
}

/** Replaces the password of an endpoint by a generated one. */
export async function rotateEndpoint(
  gateway: Gateway,
  username: string,
  options: PasswordOptions & Json,
): Promise<ExitCode> {
  requireDestination(options);
  const advice =
    "The password may have been replaced. To read it: sip get. To replace it again, run the same command again.";
  return setPassword(username, options, advice, async () => {
    const { data } = await gateway.execute(rotateDocument, { input: { username } });
    return [data.rotateSipEndpointPassword, () => {}];
  });
}

interface NewPassword {
  readonly password?: string | null;
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

/**
 * Sends a mutation that sets a password, and writes the password to its destination.
 *
 * @param advice what to do after an interruption
 * @param send sends the mutation, and returns its payload and what to do when the payload has arrived at its destination
 */
async function setPassword(
  username: string,
  { json, passwords, showPasswords, force, ...continuation }: PasswordOptions & Json & Continuation,
  advice: string,
  send: (file: PasswordFile | undefined) => Promise<[NewPassword | null | undefined, () => void]>,
): Promise<ExitCode> {
  // A file that cannot be written is reported before the password is set.
  const file =
    passwords === undefined ? undefined : PasswordFile.open(passwords, { isForced: force, ...continuation });
  const onInterrupt = () => note(`Interrupted. ${advice}`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.prependOnceListener(signal, onInterrupt);
  const [payload, finish] = await send(file);
  const { password, userErrors } = payload ?? { userErrors: [] };
  if (userErrors.length > 0 || !password) {
    finish();
    throw new CliError(
      EXIT.failed,
      formatFailure({ username, userErrors }) || "The gateway returned no password.",
    );
  }
  file?.add([{ username, password }]);
  file?.close();
  finish();
  printFields({ username, ...(showPasswords ? { password } : {}) }, json);
  return EXIT.done;
}

/** Prints fields as JSON or as lines. */
function printFields(fields: Readonly<Record<string, unknown>>, isJson = false): void {
  if (isJson) print(JSON.stringify(fields));
  else for (const [name, value] of Object.entries(fields)) print(`${name.padEnd(9)} ${value}`);
}

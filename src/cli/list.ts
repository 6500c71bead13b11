import type { SipListQueryVariables } from "../../generated/cli/graphql.js";
import { formatValue } from "../format-value.js";
import { isNewUsername } from "../sip/username.js";
import { EXIT, type ExitCode } from "./cli-error.js";
import { formatError, type Gateway, graphql, type OperationError } from "./gateway.js";
import { formatCsv, PasswordFile, type PasswordOptions, type UserPassword } from "./password-file.js";
import { note, print } from "./terminal.js";

const listDocument = graphql(/* GraphQL */ `
  query SipList($after: String, $withPasswords: Boolean!, $filter: SipEndpointFilter) {
    sipEndpoints(first: 100, after: $after, filter: $filter) {
      nodes {
        username
        password @include(if: $withPasswords)
      }
      pageInfo {
        hasNextPage
        endCursor
      }
      complete
    }
  }
`);

/** Options that select endpoints. */
export interface Selection {
  readonly contains?: string;
  readonly startsWith?: string;
}

interface Page {
  readonly nodes: readonly { readonly username: string; readonly password?: string | null }[];
  readonly errors: readonly OperationError[];
}

/** Prints the usernames of the account, page by page. */
export async function listEndpoints(
  gateway: Gateway,
  { json, ...selection }: Selection & { readonly json?: boolean },
): Promise<ExitCode> {
  const usernames: string[] = [];
  let isComplete = true;
  for await (const { nodes, errors } of readPages(gateway, selection, false)) {
    isComplete &&= reportErrors(errors);
    if (json) usernames.push(...nodes.map(({ username }) => username));
    else if (nodes.length > 0) print(nodes.map(({ username }) => username).join("\n"));
  }
  if (json) print(JSON.stringify(usernames.map((username) => ({ username }))));
  return isComplete ? EXIT.done : EXIT.failed;
}

/** Prints the endpoints as CSV that `import` accepts, when the list has been read to its end. */
export async function exportEndpoints(
  gateway: Gateway,
  options: PasswordOptions & Selection & { readonly json?: boolean },
): Promise<ExitCode> {
  const { passwords, showPasswords = false, force, json, contains, startsWith } = options;
  const selection = { ...(contains && { contains }), ...(startsWith && { startsWith }) };
  const file = passwords === undefined ? undefined : PasswordFile.open(passwords, { isForced: force });
  const nodes: Page["nodes"][number][] = [];
  let isComplete = true;
  for await (const page of readPages(gateway, selection, showPasswords || file !== undefined)) {
    isComplete &&= reportErrors(page.errors);
    nodes.push(...page.nodes);
  }
  file?.add(
    nodes.flatMap(({ username, password }): UserPassword[] => (password ? [{ username, password }] : [])),
  );
  file?.close();
  const rows = nodes.map(({ username, password }) =>
    showPasswords ? [username, password ?? ""] : [username],
  );
  if (json) {
    print(
      JSON.stringify(
        nodes.map(({ username, password }) => (showPasswords ? { username, password } : { username })),
      ),
    );
  } else {
    process.stdout.write(formatCsv([showPasswords ? ["username", "password"] : ["username"], ...rows]));
  }
  const unusual = nodes.filter(({ username }) => !isNewUsername(username));
  if (unusual.length > 0) {
    const names = unusual.slice(0, 5).map(({ username }) => formatValue(username));
    const more = unusual.length > names.length ? " and others" : "";
    note(
      `import does not accept these usernames, which were not created by the gateway: ${names.join(", ")}${more}.`,
    );
  }
  return isComplete ? EXIT.done : EXIT.failed;
}

async function* readPages(
  gateway: Gateway,
  { contains, startsWith }: Selection,
  withPasswords: boolean,
): AsyncGenerator<Page> {
  const isFiltered = contains !== undefined || startsWith !== undefined;
  const filter = isFiltered
    ? { username: { contains: contains ?? null, startsWith: startsWith ?? null } }
    : null;
  let after: string | null = null;
  do {
    const page = await readPage(gateway, { after, withPasswords, filter });
    yield page;
    after = page.next;
  } while (after !== null);
}

async function readPage(
  gateway: Gateway,
  variables: SipListQueryVariables,
): Promise<Page & { next: string | null }> {
  const { data, errors } = await gateway.execute(listDocument, variables);
  const { nodes = [], pageInfo, complete = true } = data.sipEndpoints ?? {};
  const cut = {
    message:
      "The account has more SIP endpoints than the gateway searches (SCAN_MAX_ENDPOINTS). The result is not complete.",
  };
  return {
    nodes,
    errors: complete ? errors : [...errors, cut],
    next: pageInfo?.hasNextPage ? (pageInfo.endCursor ?? null) : null,
  };
}

/** Prints errors, each message once. Returns whether there are none. */
function reportErrors(errors: readonly OperationError[]): boolean {
  for (const message of new Set(errors.map(formatError))) note(message);
  return errors.length === 0;
}

export const operations = ["get_sip", "list_sip", "add_sip", "update_sip", "remove_sip"] as const;
export type Operation = (typeof operations)[number];

interface Body {
  readonly username?: string;
  readonly password?: string;
  readonly page?: number;
}

/** Returns PIOPIY's response as JSON text. It is built from strings, which is the fastest way. */
export function reply(operation: Operation, body: Body, account: Account): string {
  const { username = "", password = "", page = 1 } = body;
  if (operation === "list_sip") return listReply(page, account);
  if (operation === "add_sip") {
    if (account.password(username) !== undefined) return errorReply("username already exists");
    account.setPassword(username, password);
    return endpointReply(username, password);
  }
  const known = account.password(username);
  if (known === undefined) return errorReply("username does not exist");
  if (operation === "get_sip") return endpointReply(username, known);
  if (operation === "remove_sip") {
    account.forget(username);
    return `{"code":"cmi-200","username":"${username}","msg":"Removed successfully"}`;
  }
  account.setPassword(username, password);
  return `{"code":"cmi-200","username":"${username}","password":"${password}","msg":"Updated successfully"}`;
}

function endpointReply(username: string, password: string): string {
  return `{"code":"cmi-200","username":"${username}","password":"${password}","connect_URL":"sbc.bench.example","audio":true,"video":true,"type":"SIP"}`;
}

function listReply(page: number, account: Account): string {
  const rows = account
    .page(page)
    .map((name) => `{"username":"${name}","password":"${account.password(name)}"}`);
  return `{"code":"cmi-200","list":{"count":${account.count},"rows":[${rows.join(",")}]}}`;
}

/** Returns an error with status 200. PIOPIY's documents do not define the HTTP status of errors. */
function errorReply(message: string): string {
  return `{"code":"cmi-400","msg":"${message}"}`;
}

const PAGE_SIZE = 10;

/**
 * The endpoints of the account: `user-1` to `user-<count>`, which are computed and use no memory, and those that were created or
 * changed since the start.
 */
export class Account {
  readonly #changed = new Map<string, string>();

  constructor(public count: number) {}

  /** Returns the password of an endpoint, or undefined when there is no endpoint of that name. */
  password(username: string): string | undefined {
    const changed = this.#changed.get(username);
    if (changed !== undefined) return changed;
    const number = username.startsWith("user-") ? Number(username.slice(5)) : 0;
    return number >= 1 && number <= this.count ? `made-up-${number}` : undefined;
  }

  setPassword(username: string, password: string): void {
    this.#changed.set(username, password);
  }

  /** Removes an endpoint that `setPassword` added. The numbered endpoints stay. */
  forget(username: string): void {
    this.#changed.delete(username);
  }

  /** Returns the names of a page, counted from 1. A page past the end is empty. */
  page(page: number): string[] {
    const first = (page - 1) * PAGE_SIZE;
    const length = Math.max(0, Math.min(PAGE_SIZE, this.count - first));
    return Array.from({ length }, (_, row) => `user-${first + row + 1}`);
  }
}

import { randomBytes } from "node:crypto";
import { ContractResponse } from "./contract-response.js";

/** An account of PIOPIY, or of a server that behaves like it. */
export interface ContractAccount {
  /** The base URL of the operations, with a slash at the end. */
  readonly url: string;
  readonly appId: number;
  readonly secret: string;
}

/** Runs one check with an account: creates endpoints under a unique prefix, and removes them at the end. */
export class ContractTrial {
  private readonly prefix = `contract-${randomBytes(6).toString("hex")}`;
  private readonly created = new Set<string>();

  constructor(readonly account: ContractAccount) {}

  /** Returns a username that no other check uses. */
  username(suffix = "a"): string {
    return `${this.prefix}-${suffix}`;
  }

  /** Requests an operation with the account's credentials. `parameters` may override them; undefined omits a parameter. */
  async execute(operation: string, parameters: Record<string, unknown>): Promise<ContractResponse> {
    const body: Record<string, unknown> = {
      appid: this.account.appId,
      secret: this.account.secret,
      ...parameters,
    };
    if (operation === "add_sip") this.created.add(String(body.username));
    return this.send(operation, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  async send(path: string, init: RequestInit): Promise<ContractResponse> {
    // A redirect would send the secret to another address.
    const response = await fetch(new URL(path, this.account.url), { ...init, redirect: "error" });
    const text = (await response.text()).replaceAll(this.account.secret, "SECRET");
    return new ContractResponse(response.status, response.headers.get("content-type") ?? "", text);
  }

  /** Creates an endpoint. Throws if this fails. */
  async create(username: string, password: string): Promise<ContractResponse> {
    const response = await this.execute("add_sip", { username, password });
    response.assertSuccess();
    return response;
  }

  /** Returns the usernames of each page of the list. */
  async pages(): Promise<string[][]> {
    const pages: string[][] = [];
    for (let page = 1; ; page += 1) {
      const { count, rows } = (await this.execute("list_sip", { page })).list;
      pages.push(rows.map(({ username }) => username));
      if (rows.length === 0 || page * 10 >= count) return pages;
    }
  }

  /** Removes the endpoints that this check created, and no others. */
  async end(): Promise<void> {
    for (const username of this.created) {
      if (username.startsWith(this.prefix)) await this.execute("remove_sip", { username });
    }
  }
}

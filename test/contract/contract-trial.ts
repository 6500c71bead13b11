import { randomBytes } from "node:crypto";
import { ContractResponse } from "./contract-response.js";

/** An account of PIOPIY, or of something that claims to behave like it. */
export interface ContractAccount {
  /** The address that the names of the calls are put behind; it ends with a slash. */
  readonly url: string;
  readonly appId: number;
  readonly secret: string;
}

/** One check's dealings with an account: it makes endpoints under a prefix of its own and removes them in the end. */
export class ContractTrial {
  private readonly prefix = `contract-${randomBytes(6).toString("hex")}`;
  private readonly made = new Set<string>();

  constructor(readonly account: ContractAccount) {}

  /** A username that nobody else has. */
  username(suffix = "a"): string {
    return `${this.prefix}-${suffix}`;
  }

  /** Requests an operation with the account's credentials, which `parameters` may override; undefined leaves a parameter out. */
  async execute(operation: string, parameters: Record<string, unknown>): Promise<ContractResponse> {
    const body: Record<string, unknown> = {
      appid: this.account.appId,
      secret: this.account.secret,
      ...parameters,
    };
    if (operation === "add_sip") this.made.add(String(body.username));
    return this.send(operation, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  async send(path: string, init: RequestInit): Promise<ContractResponse> {
    // A redirection would carry the secret to another address.
    const response = await fetch(new URL(path, this.account.url), { ...init, redirect: "error" });
    const text = (await response.text()).replaceAll(this.account.secret, "SECRET");
    return new ContractResponse(response.status, response.headers.get("content-type") ?? "", text);
  }

  /** Creates an endpoint, which must succeed. */
  async create(username: string, password: string): Promise<ContractResponse> {
    const response = await this.execute("add_sip", { username, password });
    response.assertSuccess();
    return response;
  }

  /** The list, page by page. */
  async pages(): Promise<string[][]> {
    const pages: string[][] = [];
    for (let page = 1; ; page += 1) {
      const { count, rows } = (await this.execute("list_sip", { page })).list;
      pages.push(rows.map(({ username }) => username));
      if (rows.length === 0 || page * 10 >= count) return pages;
    }
  }

  /** Removes what was made, and nothing else. */
  async end(): Promise<void> {
    for (const username of this.made) {
      if (username.startsWith(this.prefix)) await this.execute("remove_sip", { username });
    }
  }
}

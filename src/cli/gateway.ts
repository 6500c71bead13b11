import { setTimeout as sleep } from "node:timers/promises";
import type { graphql as TypedGraphql } from "../../generated/cli/gql.js";
import type { TypedDocumentString } from "../../generated/cli/graphql.js";
import { CliError, EXIT, reasonOf } from "./cli-error.js";

/** How often an operation is sent while the gateway returns retryable errors. */
export const MAX_ATTEMPTS = 4;
const FIRST_WAIT_MS = 500;
/** A gateway that asks for a longer pause is not waited for. */
const MAX_WAIT_MS = 60_000;

/**
 * Marks a document of the command line. GraphQL Code Generator finds the documents by this name, and generates their types. The
 * types are erased in the build, so a build needs no generated file.
 */
export const graphql = ((source: string) => source) as unknown as typeof TypedGraphql;

export interface OperationError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: {
    readonly code?: string;
    readonly retryable?: boolean;
    readonly retryAfterMs?: number;
    readonly requestId?: string;
  };
}

export interface OperationResult<Data> {
  readonly data: Data;
  /** Errors of parts of the data. */
  readonly errors: readonly OperationError[];
}

interface Reply<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly OperationError[];
  readonly retryAfterMs: number;
}

/** Sends operations to a gateway. */
export class Gateway {
  readonly #address: URL;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param address the address of the gateway, with or without `/graphql`
   * @param key the API key or the token of the client; undefined for a gateway with `AUTH=none`
   */
  constructor(address: string, key: string | undefined) {
    this.#address = parseAddress(address);
    // The message of fetch for an invalid header contains its value.
    if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
      throw new CliError(
        EXIT.usage,
        "The key has characters that no key has. Check SIP_KEY or --key: visible ASCII characters, no spaces.",
      );
    }
    this.#headers = {
      accept: "application/graphql-response+json, application/json",
      "content-type": "application/json",
      "graphql-client-name": "sip-command-line",
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    };
  }

  /**
   * Sends an operation with one root field, and sends it again while it has retryable errors. Throws if the root field is null
   * because of an error, and if the gateway refuses the credential for a part of the data.
   */
  async execute<Data extends object, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
    signal?: AbortSignal,
  ): Promise<OperationResult<Data>> {
    for (let attempt = 1; ; attempt++) {
      const { data, errors = [], retryAfterMs } = await this.#send<Data>(document, variables);
      const waitMs = Math.max(retryAfterMs, FIRST_WAIT_MS * 2 ** (attempt - 1));
      const mayRetry = attempt < MAX_ATTEMPTS && waitMs <= MAX_WAIT_MS && !signal?.aborted;
      if (mayRetry && errors.some(({ extensions }) => extensions?.retryable)) {
        await pause(waitMs, signal);
      } else if (!data || errors.some(isRefusal) || (errors.length > 0 && Object.values(data)[0] === null)) {
        throw this.#errorOf(errors);
      } else {
        return { data, errors };
      }
    }
  }

  async #send<Data>(document: unknown, variables: unknown): Promise<Reply<Data>> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#address, {
        method: "POST",
        headers: this.#headers,
        body: JSON.stringify({ query: String(document), variables }),
        // A redirect would turn the POST into a GET.
        redirect: "manual",
      });
      text = await response.text();
    } catch (error) {
      const reason = reasonOf((error as Error).cause ?? error);
      throw new CliError(
        EXIT.gateway,
        `The gateway at ${this.#address} is not reachable (${reason}). Check that it runs, and the address in --url or SIP_URL.`,
      );
    }
    const reply = parseReply<Data>(text);
    if (!reply) {
      throw new CliError(
        EXIT.gateway,
        `${this.#address} does not respond as the gateway does (HTTP ${response.status}). Check the address in --url or SIP_URL.`,
      );
    }
    const seconds = Number(response.headers.get("retry-after") ?? 0);
    const waits = (reply.errors ?? []).map(({ extensions }) => extensions?.retryAfterMs ?? 0);
    return { ...reply, retryAfterMs: Math.max(1000 * (seconds || 0), ...waits) };
  }

  #errorOf(errors: readonly OperationError[]): CliError {
    const refusal = errors.find(isRefusal);
    if (!refusal) return new CliError(EXIT.failed, errors.map(formatError).join("\n") || "No data.");
    const advice = this.#headers.authorization
      ? "Check the key in SIP_KEY or --key."
      : "Set the key with SIP_KEY or --key.";
    return new CliError(
      EXIT.gateway,
      `The gateway at ${this.#address} refuses the credential. ${formatError(refusal)} ${advice}`,
    );
  }
}

function isRefusal({ extensions }: OperationError): boolean {
  return ["UNAUTHENTICATED", "FORBIDDEN"].includes(extensions?.code ?? "");
}

/** Formats an error for a person, with its code and the id that finds it in the log of the gateway. */
export function formatError({ message, extensions }: OperationError): string {
  const { code, requestId } = extensions ?? {};
  const details = [code, requestId && `request ${requestId}`].filter(Boolean).join(", ");
  return details ? `${message} (${details})` : message;
}

/** Waits, but not longer than until the signal is aborted. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(ms, undefined, signal ? { signal } : {}).catch(() => {});
}

function parseAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new CliError(
      EXIT.usage,
      "The address of the gateway must start with http:// or https:// and must not contain a user or a password. " +
        "Set it with --url or SIP_URL, for example http://127.0.0.1:4000.",
    );
  }
  url.hash = "";
  const path = url.pathname.replace(/\/+$/, "");
  url.pathname = path.endsWith("/graphql") ? path : `${path}/graphql`;
  return url;
}

function parseReply<Data>(text: string): Omit<Reply<Data>, "retryAfterMs"> | undefined {
  try {
    const reply = JSON.parse(text);
    return Object(reply).data || Array.isArray(Object(reply).errors) ? reply : undefined;
  } catch {
    return undefined;
  }
}

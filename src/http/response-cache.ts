import { hash } from "node:crypto";
import { InMemoryLRUCache } from "@apollo/utils.keyvaluecache";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isWithin } from "../piopiy/cache/read-cache.js";
import type { CachedClient } from "../piopiy/cached-client.js";

const MAX_BYTES = 30 * 1024 * 1024;

/** What an operation tells of itself when its answer may be given again: it holds nothing but what PIOPIY told, and no password. */
export interface Repeatable {
  /** In units of the caller's budget. */
  readonly cost: number;
  readonly operationName: string | undefined;
  /** When PIOPIY told the oldest part, by the monotonic clock. */
  readonly readAt: number;
}

/** An answer as it was sent. */
export interface KeptResponse extends Repeatable {
  readonly body: string;
  readonly contentType: string;
  readonly version: number;
}

interface Asked {
  readonly key: string;
  /** What this gateway knew of changes when the operation began. */
  readonly version: number;
}

/**
 * Whole answers in memory, up to 30 MiB, for callers who ask the same and may see the same. They are as old as what is in them,
 * and any change that this gateway hears of ends all of them.
 */
export class ResponseCache {
  readonly #client: CachedClient;
  readonly #ttlMs: number;
  readonly #asked = new WeakMap<FastifyRequest, Asked>();
  readonly #responses = new InMemoryLRUCache<KeptResponse>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ body, operationName = "" }) => 2 * (body.length + operationName.length) + 500,
  });

  /** @param ttlMs how old an answer may be; 0 keeps none */
  constructor(client: CachedClient, ttlMs: number) {
    this.#client = client;
    this.#ttlMs = ttlMs;
  }

  /** The answer to the same request, or undefined. */
  async find(request: FastifyRequest): Promise<KeptResponse | undefined> {
    const { version } = this.#client;
    if (this.#ttlMs === 0 || version === undefined || request.method !== "POST") return undefined;
    const key = keyOf(request);
    const kept = await this.#responses.get(key);
    if (kept && kept.version === this.#client.version && isWithin(kept.readAt, this.#ttlMs)) return kept;
    this.#asked.set(request, { key, version });
    return undefined;
  }

  /** Keeps an answer, unless something has changed since it was asked for. */
  async keep(
    request: FastifyRequest,
    reply: FastifyReply,
    body: string,
    repeatable: Repeatable,
  ): Promise<void> {
    const asked = this.#asked.get(request);
    if (!asked || asked.version !== this.#client.version) return;
    const contentType = String(reply.getHeader("content-type"));
    await this.#responses.set(asked.key, { ...repeatable, body, contentType, version: asked.version });
  }
}

/** Hashed, since a request may hold anything. */
function keyOf({ body, caller, headers }: FastifyRequest): string {
  const scopes = [...caller.scopes].sort();
  return hash("sha256", JSON.stringify([scopes, headers.accept, body]), "base64");
}

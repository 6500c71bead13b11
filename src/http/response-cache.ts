import { hash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import { describeCost, type RateLimit, REQUEST_UNITS } from "../auth/rate-limit.js";
import type { OperationSummary } from "../graphql/context.js";
import { isWithin } from "../piopiy/cache/read-cache.js";
import type { PiopiyClient } from "../piopiy/client.js";

const MAX_BYTES = 30 * 1024 * 1024;

/** A lookup that has found no response. The response of the request may be stored under its key. */
export interface CacheMiss {
  readonly key: string;
  /** The version of the data at the lookup. */
  readonly version: number;
  /** How often all responses had been discarded at the lookup. */
  readonly discards: number;
}

/** A response that the cache has stored. */
export interface StoredResponse {
  /** What the log entry of the cached response has. */
  readonly operation: OperationSummary;
  /** When PIOPIY returned the oldest data of the response, by the monotonic clock. */
  readonly readAt: number;
  /** The body up to the cost, which is different in each response. */
  readonly head: string;
  /** The body after the cost. */
  readonly tail: string;
  readonly contentType: string;
  /** The version of all data: see `PiopiyClient.version`. */
  readonly version: number;
}

/**
 * Caches whole responses in memory, up to 30 MiB, for clients with the same scopes and username that send a request with the same
 * body. The age of a response is the age of its oldest data. Every invalidation that this process receives discards all
 * responses. A resolver calls `context.noStore()` to exclude a response.
 */
export class ResponseCache {
  readonly #piopiy: PiopiyClient;
  readonly #rateLimit: RateLimit;
  readonly #ttlMs: number;
  #discards = 0;
  readonly #responses = new LRUCache<string, StoredResponse>({
    maxSize: MAX_BYTES,
    // 1000 bytes are the objects, with the names that identify the operation.
    sizeCalculation: ({ head, tail }) => 2 * (head.length + tail.length) + 1000,
  });

  /** @param ttlMs the maximum age of a response, in milliseconds; 0 turns the cache off */
  constructor(piopiy: PiopiyClient, rateLimit: RateLimit, ttlMs: number) {
    this.#piopiy = piopiy;
    this.#rateLimit = rateLimit;
    this.#ttlMs = ttlMs;
  }

  /**
   * Searches the cached response to a request by its body, before the body is parsed: only a body that has been parsed and executed
   * before has a response. Returns whether there is one.
   */
  find(request: FastifyRequest, body: string): boolean {
    const { version } = this.#piopiy;
    if (this.#ttlMs === 0 || version === undefined) return false;
    const key = cacheKey(request, body);
    const stored = this.#responses.get(key);
    if (stored?.version === version && isWithin(stored.readAt, this.#ttlMs)) {
      request.cachedResponse = stored;
      return true;
    }
    request.cacheMiss = { key, version, discards: this.#discards };
    return false;
  }

  /**
   * Charges the cost of a cached response, and sends the response. Returns false if the client has not enough units: Apollo Server's
   * response contains the error and the cost.
   */
  async serve(request: FastifyRequest, reply: FastifyReply, stored: StoredResponse): Promise<boolean> {
    const { operation, head, tail, contentType } = stored;
    const { cost } = operation;
    try {
      await this.#rateLimit.charge(request.client.name, cost, reply, request.refusal ? 0 : REQUEST_UNITS);
    } catch {
      return false;
    }
    request.refusal = undefined;
    request.operation = operation;
    void reply
      .header("content-type", contentType)
      .send(`${head}${JSON.stringify(describeCost(cost, reply))}${tail}`);
    return true;
  }

  /** Discards all responses, including those of the requests in progress. */
  clear(): void {
    this.#responses.clear();
    this.#discards++;
  }

  /** Stores a response, unless data has changed since the lookup. */
  store(request: FastifyRequest, reply: FastifyReply, payload: unknown): void {
    const { cacheMiss: miss } = request;
    const storable = request.responseStorage?.storable;
    if (!storable || !miss) return;
    if (miss.version !== this.#piopiy.version || miss.discards !== this.#discards) return;
    const body = String(payload);
    const contentType = String(reply.getHeader("content-type"));
    const cost = JSON.stringify(storable.cost);
    // The cost is at the end, after the data.
    const at = body.lastIndexOf(cost);
    const parts = { head: body.slice(0, at), tail: body.slice(at + cost.length) };
    const operation = {
      ...storable.identity,
      cost: storable.cost.requested,
      cache: "hit",
      cachedResponse: true,
      ...{ upstreamRequests: 0, upstreamMs: 0, retries: 0 },
    } as const;
    const { version } = miss;
    this.#responses.set(miss.key, { operation, readAt: storable.readAt, ...parts, contentType, version });
  }
}

/** The scopes of clients as text, in a fixed order. */
const scopeTexts = new WeakMap<ReadonlySet<string>, string>();

function scopeText(scopes: ReadonlySet<string>): string {
  const known = scopeTexts.get(scopes);
  if (known !== undefined) return known;
  const text = [...scopes].sort().join(" ");
  scopeTexts.set(scopes, text);
  return text;
}

/**
 * Returns the key of a request: a hash of the data that its response depends on, since a request may be large or contain secrets.
 * Scopes, usernames and the negotiated media type contain no line breaks.
 */
function cacheKey({ client, headers }: FastifyRequest, body: string): string {
  // The response to one person may contain data of that person's endpoint only.
  const { scopes, username = "" } = client;
  return hash("sha256", `${scopeText(scopes)}\n${username}\n${headers.accept}\n${body}`, "base64");
}

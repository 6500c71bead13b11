import { hash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { LRUCache } from "lru-cache";
import { describeCost, type RateLimit, REQUEST_UNITS } from "../auth/rate-limit.js";
import type { StorableResponse } from "../graphql/context.js";
import { isWithin } from "../piopiy/cache/read-cache.js";
import type { PiopiyClient } from "../piopiy/client.js";

const MAX_BYTES = 30 * 1024 * 1024;

const FROM_CACHE = {
  cache: "hit",
  cachedResponse: true,
  upstreamRequests: 0,
  upstreamMs: 0,
  retries: 0,
} as const;

interface StoredResponse extends StorableResponse {
  /** The body up to the cost, which is different in each response. */
  readonly head: string;
  /** The body after the cost. */
  readonly tail: string;
  readonly contentType: string;
  /** The version of all data: see `PiopiyClient.version`. */
  readonly version: number;
}

/**
 * Caches whole responses in memory, up to 30 MiB, for clients with the same scopes and username that send the same
 * request. The age of a response is the age of its oldest data. Every invalidation that this process receives discards all
 * responses. A resolver calls `context.noStore()` to exclude a response.
 */
export class ResponseCache {
  readonly #piopiy: PiopiyClient;
  readonly #rateLimit: RateLimit;
  readonly #ttlMs: number;
  /** The key of each cache miss, and the version of the data at the lookup. */
  #misses = new WeakMap<FastifyRequest, Pick<StoredResponse, "version"> & { readonly key: string }>();
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

  /** Sends the cached response to the same request, if there is one. */
  readonly serve = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const { version } = this.#piopiy;
    if (this.#ttlMs === 0 || version === undefined || request.method !== "POST") return;
    const key = cacheKey(request);
    const stored = this.#responses.get(key);
    if (stored?.version !== version || !isWithin(stored.readAt, this.#ttlMs)) {
      this.#misses.set(request, { key, version });
      return;
    }
    const { client } = request;
    const { head, tail, contentType, identity } = stored;
    const { requested } = stored.cost;
    try {
      await this.#rateLimit.charge(client.name, requested, reply, request.refusal ? 0 : REQUEST_UNITS);
    } catch {
      // Apollo Server's response contains the error and the cost.
      return;
    }
    request.refusal = undefined;
    const cost = JSON.stringify(describeCost(requested, reply));
    request.operation = { ...identity, cost: requested, ...FROM_CACHE };
    return reply.type(contentType).send(`${head}${cost}${tail}`);
  };

  /** Discards all responses, including those of the requests in progress. */
  clear(): void {
    this.#responses.clear();
    this.#misses = new WeakMap();
  }

  /** Stores a response, unless data has changed since the lookup. */
  store(request: FastifyRequest, reply: FastifyReply, body: string): void {
    const storable = request.responseStorage?.storable;
    const miss = this.#misses.get(request);
    if (!storable || !miss || miss.version !== this.#piopiy.version) return;
    const contentType = String(reply.getHeader("content-type"));
    const cost = JSON.stringify(storable.cost);
    // The cost is at the end, after the data.
    const at = body.lastIndexOf(cost);
    const parts = { head: body.slice(0, at), tail: body.slice(at + cost.length) };
    this.#responses.set(miss.key, { ...storable, ...parts, contentType, version: miss.version });
  }
}

/**
 * Returns the key of a request: a hash of the data that its response depends on, since a request may be large or contain secrets.
 */
function cacheKey({ client, graphqlRequest, headers }: FastifyRequest): string {
  const scopes = [...client.scopes].sort();
  // The response to one person may contain data of that person's endpoint only.
  return hash("sha256", JSON.stringify([scopes, client.username, headers.accept, graphqlRequest]), "base64");
}

// Declares the packages that only `npm run bench` installs, so that `npm run check` works without them. `tsc -p bench` excludes this
// file and uses the types of the packages.

declare module "@apollo/datasource-rest" {
  export interface CacheOptions {
    readonly ttl?: number;
  }
  export interface RequestDeduplicationPolicy {
    readonly policy: "deduplicate-during-request-lifetime";
    readonly deduplicationKey: string;
  }
  export interface RequestOptions {
    readonly body?: unknown;
  }
  export class RESTDataSource {
    baseURL?: string;
    constructor(options: { readonly cache: unknown });
    protected post<Reply>(path: string, request: RequestOptions): Promise<Reply>;
    protected cacheKeyFor(url: URL, request: RequestOptions): string;
    protected requestDeduplicationPolicyFor(url: URL, request: RequestOptions): RequestDeduplicationPolicy;
    protected cacheOptionsFor(): CacheOptions;
  }
}
declare module "mercurius-cache" {
  export interface MercuriusCacheOptions {
    readonly ttl: number;
    readonly policy: object;
  }
}
declare module "@as-integrations/fastify";
declare module "@graphql-hive/gateway";
declare module "@graphql-mesh/compose-cli";
declare module "@graphql-yoga/plugin-response-cache";
declare module "@omnigraph/json-schema";
declare module "graphql-yoga";
declare module "mercurius";
declare module "undici";

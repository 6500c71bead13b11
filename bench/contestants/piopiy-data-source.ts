import {
  type CacheOptions,
  RESTDataSource,
  type RequestDeduplicationPolicy,
  type RequestOptions,
} from "@apollo/datasource-rest";
import { type Endpoint, readEndpoint, type UpstreamEndpoint, type UpstreamPage } from "./piopiy.js";
import { settings } from "./settings.js";

/** PIOPIY's reads. They are POST calls, which are only shared and kept when a subclass says how. */
export class PiopiyDataSource extends RESTDataSource {
  override baseURL = settings.upstreamUrl;

  async getSip(username: string): Promise<Endpoint | null> {
    const body = { ...settings.account, username };
    return readEndpoint(await this.post<UpstreamEndpoint>("get_sip", { body }));
  }

  listSip(page: number): Promise<UpstreamPage> {
    return this.post<UpstreamPage>("list_sip", { body: { ...settings.account, page } });
  }

  protected override cacheKeyFor(url: URL, request: RequestOptions): string {
    return `${url} ${request.body}`;
  }

  protected override requestDeduplicationPolicyFor(
    url: URL,
    request: RequestOptions,
  ): RequestDeduplicationPolicy {
    return {
      policy: "deduplicate-during-request-lifetime",
      deduplicationKey: this.cacheKeyFor(url, request),
    };
  }

  protected override cacheOptionsFor(): CacheOptions {
    return { ttl: settings.cacheMs / 1000 };
  }
}

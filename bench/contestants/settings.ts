/** The settings of every contestant, from the environment. */
export const settings = {
  port: Number(process.env.PORT),
  /** The base address of the five operations, with a trailing slash. */
  upstreamUrl: process.env.UPSTREAM_URL ?? "",
  account: { appid: Number(process.env.APP_ID), secret: process.env.SECRET ?? "" },
  maxConcurrency: Number(process.env.MAX_CONCURRENCY),
  cacheMs: Number(process.env.CACHE_MS),
};

import { createHash } from "node:crypto";
import type { FastifyCorsOptions } from "@fastify/cors";
import type { FastifyHelmetOptions } from "@fastify/helmet";

type PolicyOptions = NonNullable<FastifyHelmetOptions["contentSecurityPolicy"]>;

/** What answers say to browsers: an answer of the graph is data, and no page may load or frame it. */
export const httpHeaders: FastifyHelmetOptions = {
  contentSecurityPolicy: policy({}),
  referrerPolicy: { policy: "no-referrer" },
  xFrameOptions: { action: "deny" },
};

/**
 * The policy of the GraphiQL page: nothing from elsewhere, and of scripts only those that stand in the page as it was
 * made. Its editor sets styles inline and makes its workers from blobs.
 */
export function graphiqlPolicy(page: string): PolicyOptions {
  const hashes = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(
    ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`,
  );
  return policy({
    scriptSrc: hashes,
    workerSrc: ["blob:"],
    styleSrc: ["'unsafe-inline'"],
    fontSrc: ["data:"],
    imgSrc: ["data:"],
    connectSrc: ["'self'"],
  });
}

function policy(directives: Record<string, string[]>): PolicyOptions {
  return {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      ...directives,
    },
  };
}

/** Lets pages of the named origins call, with the headers that a GraphQL client sends and reads. */
export function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  return {
    origin: [...origins],
    methods: ["GET", "POST"],
    allowedHeaders: ["authorization", "content-type", "apollo-require-preflight", "x-request-id"],
    exposedHeaders: ["x-request-id", "retry-after", "ratelimit", "ratelimit-policy"],
    maxAge: 600,
  };
}

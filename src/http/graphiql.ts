import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { setGraphiqlSecurityHeaders } from "./security-headers.js";

/** The page that `build.js` has rendered, compressed and hashed, because that takes longer than the rest of a start. */
const PAGE = new URL("../../dist/graphiql/", import.meta.url);
/** The endpoint in that page. */
const ENDPOINT = "/graphql";

/** Serves the GraphiQL page, which sends its operations to the endpoint's path. All responses share its bytes in memory. */
export function addGraphiqlRoute(server: FastifyInstance, endpoint: string, hsts: boolean): void {
  const { compressed, scriptHashes } = readPage(endpoint);
  let page: Buffer | undefined;
  const onRequest = setGraphiqlSecurityHeaders(scriptHashes, hsts);
  server.get("/graphiql", { onRequest }, ({ headers }, reply) => {
    const vary = reply.getHeader("vary");
    reply
      .type("text/html; charset=utf-8")
      .header("vary", vary ? `${vary}, accept-encoding` : "accept-encoding");
    if (acceptsGzip(headers["accept-encoding"])) {
      return reply.header("content-encoding", "gzip").send(compressed);
    }
    page ??= gunzipSync(compressed);
    return reply.send(page);
  });
}

function readPage(endpoint: string): { compressed: Buffer; scriptHashes: string[] } {
  const compressed = readFileSync(new URL("page.html.gz", PAGE));
  if (endpoint === ENDPOINT) {
    const scriptHashes = JSON.parse(readFileSync(new URL("script-hashes.json", PAGE), "utf8"));
    return { compressed, scriptHashes };
  }
  const option = (value: string) => `"endpoint":${JSON.stringify(value)}`;
  const html = gunzipSync(compressed)
    .toString()
    .replace(option(ENDPOINT), () => option(endpoint));
  const scriptHashes = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = ""]) =>
    createHash("sha256").update(script).digest("base64"),
  );
  return { compressed: gzipSync(html), scriptHashes };
}

/** Returns whether an `Accept-Encoding` header allows gzip, by its name or by `*`. */
function acceptsGzip(header: string | readonly string[] = ""): boolean {
  const weights = new Map(
    String(header)
      .toLowerCase()
      .split(",")
      .map((coding) => {
        const [name = "", weight = "1"] = coding.split(/\s*;\s*q=/);
        return [name.trim(), Number(weight)];
      }),
  );
  return (weights.get("gzip") ?? weights.get("*") ?? 0) > 0;
}

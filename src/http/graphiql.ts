import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { setGraphiqlSecurityHeaders } from "./security-headers.js";

/** The page that `build.js` has rendered, compressed and hashed, because that takes longer than the rest of a start. */
const PAGE = new URL("../../dist/graphiql/", import.meta.url);

/** Serves the GraphiQL page. All responses share its bytes in memory. A browser that has the page gets 304. */
export function addGraphiqlRoute(server: FastifyInstance, hsts: boolean): void {
  const compressed = readFileSync(new URL("page.html.gz", PAGE));
  const scriptHashes = JSON.parse(readFileSync(new URL("script-hashes.json", PAGE), "utf8"));
  const hash = createHash("sha256").update(compressed).digest("base64url");
  let page: Buffer | undefined;
  const onRequest = setGraphiqlSecurityHeaders(scriptHashes, hsts);
  server.get("/graphiql", { onRequest }, ({ headers }, reply) => {
    const isCompressed = acceptsGzip(headers["accept-encoding"]);
    const etag = `"${hash}${isCompressed ? "-gzip" : ""}"`;
    const vary = reply.getHeader("vary");
    reply.type("text/html; charset=utf-8").headers({
      etag,
      "cache-control": "no-cache",
      vary: vary ? `${vary}, accept-encoding` : "accept-encoding",
    });
    // A proxy that compresses again makes the tag a weak one.
    const known = headers["if-none-match"]?.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
    if (known?.some((tag) => tag === etag || tag === "*")) return reply.code(304).send();
    if (isCompressed) return reply.header("content-encoding", "gzip").send(compressed);
    page ??= gunzipSync(compressed);
    return reply.send(page);
  });
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

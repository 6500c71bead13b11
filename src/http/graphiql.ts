import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { renderGraphiQL } from "@graphql-yoga/render-graphiql";
import type { FastifyInstance } from "fastify";
import { setGraphiqlSecurityHeaders } from "./security-headers.js";

const OPERATIONS = new URL("../../schema/operations/", import.meta.url);

/** Serves the GraphiQL page for the endpoint's path. All responses share its bytes, which are compressed once. */
export function addGraphiqlRoute(server: FastifyInstance, endpoint: string, hsts: boolean): void {
  const html = renderPage(endpoint);
  const page = Buffer.from(html);
  const compressed = gzipSync(page);
  server.get("/graphiql", { onRequest: setGraphiqlSecurityHeaders(html, hsts) }, ({ headers }, reply) => {
    const vary = reply.getHeader("vary");
    reply
      .type("text/html; charset=utf-8")
      .header("vary", vary ? `${vary}, accept-encoding` : "accept-encoding");
    if (!acceptsGzip(headers["accept-encoding"])) return reply.send(page);
    return reply.header("content-encoding", "gzip").send(compressed);
  });
}

/** Renders the page, which loads nothing from other hosts. Its tabs are the numbered files of `schema/operations`. */
function renderPage(endpoint: string): string {
  const files = readdirSync(OPERATIONS).filter((file) => /^\d.*\.graphql$/.test(file));
  const defaultTabs = files
    .sort()
    .map((file) => ({ query: readFileSync(new URL(file, OPERATIONS), "utf8") }));
  return renderGraphiQL({ title: "PIOPIY GraphQL Gateway", endpoint, defaultTabs });
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

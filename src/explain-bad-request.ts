import type { FastifyRequest } from "fastify";

/** The types that a page of another site can send without the browser's asking first. */
const SIMPLE_TYPES = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
const PREFLIGHT_HEADERS = ["apollo-require-preflight", "x-apollo-operation-name"];

/**
 * Explains why Apollo Server refuses a request before it reads the operation, by the request itself: Apollo's messages
 * are its own.
 *
 * @param status the status that Apollo gave the response
 */
export function explainBadRequest(request: FastifyRequest, status: number): string {
  if (status === 405) return "A request must be a GET or a POST.";
  if (status === 415) return "A GET request must have the content-type application/json, or none.";
  if (mayBeForged(request)) {
    return `A request that another site's page could send needs the header \`${PREFLIGHT_HEADERS[0]}\` with any value, or the content-type application/json.`;
  }
  const problem = request.method === "GET" ? queryProblem(request.url) : bodyProblem(request.body);
  return problem ?? "This is not a GraphQL request that the gateway can run.";
}

function mayBeForged({ headers }: FastifyRequest): boolean {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  return (
    (type === undefined || SIMPLE_TYPES.includes(type)) && !PREFLIGHT_HEADERS.some((name) => headers[name])
  );
}

function bodyProblem(body: unknown): string | undefined {
  if (Array.isArray(body)) return "The body must be one operation. Batching is disabled.";
  if (!isRecord(body) || Object.keys(body).length === 0) {
    return "The body must be a JSON object with a `query`.";
  }
  const { query, operationName } = body;
  if (query && typeof query !== "string") return "`query` must be a string.";
  const noRecord = ["variables", "extensions"].find((name) => !isRecord(body[name] ?? {}));
  if (noRecord) return `\`${noRecord}\` must be an object.`;
  return operationName && typeof operationName !== "string" ? "`operationName` must be a string." : undefined;
}

function queryProblem(url: string): string | undefined {
  const parameters = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  for (const name of ["query", "operationName", "variables", "extensions"]) {
    if (parameters.getAll(name).length > 1) return `The parameter \`${name}\` may be given once.`;
  }
  for (const name of ["variables", "extensions"]) {
    if (!isRecord(parsed(parameters.get(name) ?? "{}"))) {
      return `The parameter \`${name}\` must be an object in JSON.`;
    }
  }
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Returns whether a JSON value is an object: neither a list nor null. */
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A GraphQL request that was forwarded. */
export interface PassedRequest {
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** The status of the response. */
  readonly status: number;
}

/** A proxy between a router and a subgraph that forwards and records all requests. */
export interface RecordingProxy {
  readonly url: string;
  readonly requests: PassedRequest[];
  close(): void;
}

const FORWARDED = ["accept", "authorization", "content-type", "x-forwarded-for", "x-request-id"];

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const requests: PassedRequest[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    const headers = Object.fromEntries(
      FORWARDED.flatMap((name) => (request.headers[name] ? [[name, String(request.headers[name])]] : [])),
    );
    const result = await fetch(target, { method: "POST", headers, body });
    requests.push({ query: JSON.parse(body).query, headers: request.headers, status: result.status });
    response.writeHead(result.status, { "content-type": result.headers.get("content-type") ?? "" });
    response.end(await result.text());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

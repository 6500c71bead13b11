import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** A GraphQL request on its way. */
export interface PassedRequest {
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
}

/** Stands between a router and a subgraph, passes all on and remembers what went through. */
export interface RecordingProxy {
  readonly url: string;
  readonly requests: PassedRequest[];
  close(): void;
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const requests: PassedRequest[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    requests.push({ query: JSON.parse(body).query, headers: request.headers });
    const { authorization, "x-forwarded-for": forwardedFor } = request.headers;
    const headers = {
      "content-type": "application/json",
      ...(authorization && { authorization }),
      ...(forwardedFor && { "x-forwarded-for": String(forwardedFor) }),
    };
    const answer = await fetch(target, { method: "POST", headers, body });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(await answer.text());
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

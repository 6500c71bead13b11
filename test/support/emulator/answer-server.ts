import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

const started: Server[] = [];

interface ReceivedRequest {
  readonly method: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** Server behind an answer URL, as a developer would run it. */
export interface AnswerServer {
  readonly url: string;
  /** Received requests, oldest first. */
  readonly requests: readonly ReceivedRequest[];
}

/** Starts a server that responds with this function; `closeAnswerServers` stops it. */
export async function startAnswerServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AnswerServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, headers } = request;
    requests.push({ method, contentType: headers["content-type"], body: Buffer.concat(chunks).toString() });
    answer(request, response);
  }).listen(0, "127.0.0.1");
  started.push(server);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port}/answer`, requests };
}

/** Starts a server that responds with a text. */
export function answerWith(text: string, status = 200, headers: Record<string, string> = {}) {
  return startAnswerServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
  });
}

/** Starts a server that responds with a PCMO document, valid or not. */
export function answerDocument(document: unknown): Promise<AnswerServer> {
  return answerWith(JSON.stringify(document));
}

/** Stops all servers and closes their connections. */
export async function closeAnswerServers(): Promise<void> {
  for (const server of started.splice(0)) {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
}

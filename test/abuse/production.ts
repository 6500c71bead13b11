import { type ResponseError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

/** The settings of a gateway in production. */
export const production = { INTROSPECTION: "false", GRAPHIQL: "false" };

/** Runs a test with a gateway of its own. */
export async function withGateway(
  settings: Record<string, string>,
  use: (gateway: TestGateway) => Promise<void>,
): Promise<void> {
  const gateway = await startGateway({ gateway: settings });
  try {
    await use(gateway);
  } finally {
    await gateway.close();
  }
}

/** A response with its body as text, and its parsed errors. */
export interface TextResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly errors: readonly ResponseError[] | undefined;
}

/** Sends a request without changes. The response must be JSON. */
export async function send(url: string, init: RequestInit = {}): Promise<TextResponse> {
  const response = await fetch(url, init);
  const text = await response.text();
  const { errors } = JSON.parse(text) as { errors?: ResponseError[] };
  return { status: response.status, headers: response.headers, text, errors };
}

/** Returns a GraphQL request over POST, as most clients send it. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** Returns the limits that the errors name. */
export function limitsOf(errors: readonly ResponseError[] | undefined): unknown[] | undefined {
  return errors?.map(({ extensions }) => extensions.limit);
}

/** Joins `count` texts, one for each number from 0. */
export function times(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join(" ");
}

import { type AnswerError, startGateway, type TestGateway } from "../support/gateway/test-gateway.js";

/** The settings of a gateway that strangers can reach. */
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

/** An answer as it came: its body as text, and the errors that it tells. */
export interface Told {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly errors: readonly AnswerError[] | undefined;
}

/** Sends a request as it stands. Its answer must be JSON. */
export async function send(url: string, init: RequestInit = {}): Promise<Told> {
  const response = await fetch(url, init);
  const text = await response.text();
  const { errors } = JSON.parse(text) as { errors?: AnswerError[] };
  return { status: response.status, headers: response.headers, text, errors };
}

/** A GraphQL request over POST, as most clients send it. */
export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** The settings that the errors name. */
export function limitsOf(errors: readonly AnswerError[] | undefined): unknown[] | undefined {
  return errors?.map(({ extensions }) => extensions.limit);
}

/** `count` texts, one for each number from 0. */
export function times(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join(" ");
}

import type { GraphqlResponse, ResponseError, TestGateway } from "../support/gateway/test-gateway.js";

/** The result of an item of `createSipEndpoints` or `removeSipEndpoints`. */
export interface ItemResult {
  readonly username: string;
  readonly sipEndpoint?: object | null;
  readonly password?: string | null;
  readonly removedId?: string | null;
  readonly userErrors: readonly { readonly code: string; readonly path: readonly string[] }[];
  readonly error: { readonly code: string; readonly message: string; readonly retryable: boolean } | null;
}

interface ManyResponse {
  readonly status: number;
  readonly errors: readonly ResponseError[] | undefined;
  readonly extensions: GraphqlResponse<unknown>["extensions"];
  readonly payload: {
    readonly results: readonly ItemResult[];
    readonly userErrors: readonly object[];
    readonly [count: string]: unknown;
  };
}

const problems = "userErrors { code message path }";
const error = "error { code message retryable }";

export const createDocument = `mutation CreateMany($input: CreateSipEndpointsInput!) {
  many: createSipEndpoints(input: $input) {
    results { username sipEndpoint { id username } password ${problems} ${error} }
    created existing failed ${problems}
  }
}`;

const removeDocument = `mutation RemoveMany($input: RemoveSipEndpointsInput!) {
  many: removeSipEndpoints(input: $input) {
    results { username removedId ${problems} ${error} }
    removed missing failed ${problems}
  }
}`;

/** Creates endpoints with one mutation. */
export function createMany(
  gateway: TestGateway,
  input: object,
  headers?: Record<string, string>,
): Promise<ManyResponse> {
  return send(gateway, createDocument, input, headers);
}

/** Removes endpoints with one mutation. */
export function removeMany(
  gateway: TestGateway,
  input: object,
  headers?: Record<string, string>,
): Promise<ManyResponse> {
  return send(gateway, removeDocument, input, headers);
}

/** Returns different usernames. */
export function usernames(count: number, prefix = "many"): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

/** Returns the passwords of all endpoints by username, as the upstream lists them to a client of its own. */
export async function passwordsAtPiopiy({ piopiyUrl }: TestGateway): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (let page = 1; ; page++) {
    const response = await fetch(`${piopiyUrl}list_sip`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ appid: 2222223, secret: "emulator-secret", page }),
    });
    const { rows } = (await response.json()).list as { rows: { username: string; password: string }[] };
    for (const { username, password } of rows) found[username] = password;
    if (rows.length < 10) return found;
  }
}

async function send(
  gateway: TestGateway,
  document: string,
  input: object,
  headers?: Record<string, string>,
): Promise<ManyResponse> {
  const response = await gateway.execute<{ many: ManyResponse["payload"] }>(document, { input }, headers);
  const { status, errors, extensions, data } = response;
  return { status, errors, extensions, payload: data?.many };
}

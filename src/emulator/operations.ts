import { z } from "zod";
import type { Endpoints } from "./endpoints.js";
import type { EmulatorSettings } from "./settings.js";

/** The JSON object that a client sent, or undefined for any other body. */
export type Body = Readonly<Record<string, unknown>> | undefined;

/** The fields after the code in a success response, in PIOPIY's order. */
export type Fields = Readonly<Record<string, unknown>>;

type RunOperation = (
  body: Body,
  account: Pick<EmulatorSettings, "appId" | "secret">,
  endpoints: Endpoints,
) => Fields | ErrorResponse;

/** An error response of PIOPIY. */
export class ErrorResponse {
  constructor(
    readonly code: 400 | 420 | 502,
    readonly message: string,
  ) {}
}

/**
 * All error responses. PIOPIY documents 400 for an existing or missing username, 420 and 502, but no texts. The texts are
 * assumed, and so are the responses to unknown properties, invalid types and bodies that are not JSON.
 */
const errorResponses = {
  notJson: new ErrorResponse(400, "The body must be a JSON object, sent as application/json"),
  missing: (names: readonly string[]) =>
    new ErrorResponse(502, `Required property missing: ${names.join(", ")}`),
  unknown: (names: readonly string[]) => new ErrorResponse(400, `Unknown property: ${names.join(", ")}`),
  notString: (name: string) => new ErrorResponse(400, `${name} must be a string`),
  invalidPage: new ErrorResponse(502, "page must be a whole number from 1"),
  invalidAccount: new ErrorResponse(420, "Invalid appid or secret"),
  usernameExists: new ErrorResponse(400, "username already exists"),
  unknownUsername: new ErrorResponse(400, "username does not exist"),
} as const;

const username = z.string();
const password = z.string();
const page = z.int().min(1);

/** PIOPIY's five operations, by the last part of their path. */
export const operations = {
  add_sip: operation({ username, password }, (endpoints, given) => {
    return endpoints.find(given.username) ? errorResponses.usernameExists : endpoints.put(given);
  }),

  update_sip: operation({ username, password }, (endpoints, given) => {
    const endpoint = endpoints.find(given.username);
    if (!endpoint) return errorResponses.unknownUsername;
    endpoints.put({ ...endpoint, password: given.password });
    return { username: given.username, password: given.password, msg: "Updated successfully" };
  }),

  get_sip: operation({ username }, (endpoints, given) => {
    return endpoints.find(given.username) ?? errorResponses.unknownUsername;
  }),

  list_sip: operation({ page }, (endpoints, given) => {
    const rows = endpoints.page(given.page).map(({ username, password }) => ({ username, password }));
    return { list: { count: endpoints.count, rows } };
  }),

  remove_sip: operation({ username }, (endpoints, given) => {
    const endpoint = endpoints.find(given.username);
    if (!endpoint) return errorResponses.unknownUsername;
    endpoints.remove(endpoint);
    return { username: given.username, msg: "Removed successfully" };
  }),
} as const satisfies Record<string, RunOperation>;

export type OperationName = keyof typeof operations;

export const operationNames = Object.keys(operations) as [OperationName, ...OperationName[]];

/** Creates an operation that validates the body in PIOPIY's order, then runs. All parameters are required. */
function operation<Shape extends z.ZodRawShape>(
  shape: Shape,
  run: (endpoints: Endpoints, given: z.infer<z.ZodObject<Shape>>) => Fields | ErrorResponse,
): RunOperation {
  const schema = z.object(shape);
  const names = ["appid", "secret", ...Object.keys(shape)];
  return (body, account, endpoints) => {
    if (!body) return errorResponses.notJson;
    const missing = names.filter((name) => (body[name] ?? "") === "");
    if (missing.length > 0) return errorResponses.missing(missing);
    const unknown = Object.keys(body).filter((key) => !names.includes(key));
    if (unknown.length > 0) return errorResponses.unknown(unknown);

    const { success, data, error } = schema.safeParse(body);
    if (!success) {
      const name = String(error.issues[0]?.path[0]);
      return name === "page" ? errorResponses.invalidPage : errorResponses.notString(name);
    }
    if (body.appid !== account.appId || body.secret !== account.secret) return errorResponses.invalidAccount;
    return run(endpoints, data);
  };
}

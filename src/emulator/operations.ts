import { z } from "zod";
import type { Endpoints } from "./endpoints.js";
import type { EmulatorSettings } from "./settings.js";

/** What follows the code in an answer of success, in PIOPIY's order. */
export type Fields = Readonly<Record<string, unknown>>;

type Work = (endpoints: Endpoints) => Fields | Refusal;

interface Operation {
  /** What the call takes besides the account; all of it is required. */
  readonly parameters: readonly string[];
  /** Checks the types, then gives back what is to be done. */
  prepare(body: unknown): Work | Refusal;
}

const username = z.string();
const password = z.string();
const page = z.int().min(1);

/** PIOPIY's five calls, by the last part of their path. */
export const operations = {
  add_sip: operation({ username, password }, (endpoints, given) => {
    if (endpoints.find(given.username)) return refusals.taken;
    return endpoints.create(given.username, given.password);
  }),

  update_sip: operation({ username, password }, (endpoints, given) => {
    const endpoint = endpoints.find(given.username);
    if (!endpoint) return refusals.unknownUser;
    endpoints.changePassword(endpoint, given.password);
    return { username: given.username, password: given.password, msg: "Updated successfully" };
  }),

  get_sip: operation({ username }, (endpoints, given) => {
    return endpoints.find(given.username) ?? refusals.unknownUser;
  }),

  list_sip: operation({ page }, (endpoints, given) => {
    const rows = endpoints.page(given.page).map(({ username, password }) => ({ username, password }));
    return { list: { count: endpoints.count, rows } };
  }),

  remove_sip: operation({ username }, (endpoints, given) => {
    const endpoint = endpoints.find(given.username);
    if (!endpoint) return refusals.unknownUser;
    endpoints.remove(endpoint);
    return { username: given.username, msg: "Removed successfully" };
  }),
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

export const operationNames = Object.keys(operations) as [OperationName, ...OperationName[]];

function operation<Shape extends z.ZodRawShape>(
  shape: Shape,
  run: (endpoints: Endpoints, given: z.infer<z.ZodObject<Shape>>) => Fields | Refusal,
): Operation {
  const schema = z.object(shape);
  return {
    parameters: Object.keys(shape),
    prepare(body) {
      const { success, data, error } = schema.safeParse(body);
      if (success) return (endpoints) => run(endpoints, data);
      const name = String(error.issues[0]?.path[0]);
      return name === "page" ? refusals.wrongPage : refusals.wrongType(name);
    },
  };
}

/** What a caller sent: a JSON object, or undefined for anything else. */
export type Body = Readonly<Record<string, unknown>> | undefined;

/** One call to PIOPIY: checked in PIOPIY's order, then done. */
export function perform(
  name: OperationName,
  body: Body,
  account: Pick<EmulatorSettings, "appId" | "secret">,
  endpoints: Endpoints,
): Fields | Refusal {
  if (!body) return refusals.malformed;
  const operation = operations[name];
  const parameters = ["appid", "secret", ...operation.parameters];

  const missing = parameters.filter((parameter) => isMissing(body[parameter]));
  if (missing.length > 0) return refusals.missing(missing);

  const unknown = Object.keys(body).filter((key) => !parameters.includes(key));
  if (unknown.length > 0) return refusals.unknown(unknown);

  const work = operation.prepare(body);
  if (work instanceof Refusal) return work;

  if (body.appid !== account.appId || body.secret !== account.secret) return refusals.wrongAccount;

  return work(endpoints);
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}

/** An answer of PIOPIY that says no. */
export class Refusal {
  constructor(
    readonly code: 400 | 420 | 502,
    readonly message: string,
  ) {}
}

/**
 * Every refusal there is. PIOPIY documents 400 for an existing or missing username, 420 and 502; it publishes no
 * text, and nothing on unknown properties, wrong types and bodies that are not JSON: those are assumed.
 */
const refusals = {
  malformed: new Refusal(400, "The body must be a JSON object, sent as application/json"),
  missing: (names: readonly string[]) => new Refusal(502, `Required property missing: ${names.join(", ")}`),
  unknown: (names: readonly string[]) => new Refusal(400, `Unknown property: ${names.join(", ")}`),
  wrongType: (name: string) => new Refusal(400, `${name} must be a string`),
  wrongPage: new Refusal(502, "page must be a whole number from 1"),
  wrongAccount: new Refusal(420, "Invalid appid or secret"),
  taken: new Refusal(400, "username already exists"),
  unknownUser: new Refusal(400, "username does not exist"),
} as const;

import { z } from "zod";
import type { Endpoints } from "./endpoints.js";
import { type Refusal, refusals } from "./refusal.js";

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

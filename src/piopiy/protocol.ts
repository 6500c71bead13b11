import { z } from "zod";
import { Secret } from "../secret.js";

/** How many rows PIOPIY returns on a page of its list. */
export const PAGE_SIZE = 10;

/** The largest list size that the schema can return: a GraphQL Int has 32 bits. */
const MAX_COUNT = 2 ** 31 - 1;
const MAX_USERNAME_BYTES = 256;
/** A masked password: empty, or only asterisks and bullets. */
const MASK = /^[*＊∗•●∙·⦁◦]*$/u;

// An invalid field is undefined, so that the other fields can be used.
const password = z
  .string()
  .refine((text) => !MASK.test(text))
  .transform((text) => new Secret(text))
  .optional()
  .catch(undefined);
const flag = z
  .union([
    z.boolean(),
    z.enum(["true", "false"]).transform((word) => word === "true"),
    z.union([z.literal(0), z.literal(1)]).transform((digit) => digit === 1),
  ])
  .optional()
  .catch(undefined);
const type = z
  .string()
  .toUpperCase()
  .pipe(z.enum(["SIP", "PSTN"]))
  .optional()
  .catch(undefined);

const named = z.object({ username: z.string().min(1) });
const credentials = named.extend({ password });
const sipEndpoint = credentials
  .extend({ connect_URL: z.string().min(1).optional().catch(undefined), audio: flag, video: flag, type })
  .transform(({ connect_URL, ...rest }) => ({ ...rest, connectUrl: connect_URL }));
const row = credentials
  .refine(({ username }) => Buffer.byteLength(username) <= MAX_USERNAME_BYTES)
  .nullable()
  .catch(null);
const page = z
  .object({
    list: z.object({
      count: z.int().nonnegative().max(MAX_COUNT),
      // The rows are counted before they are parsed: a body of 1 MB can contain 300,000 rows.
      rows: z.array(z.unknown()).max(PAGE_SIZE).pipe(z.array(row)),
    }),
  })
  .transform(({ list: { count, rows } }) => {
    const names = new Set<string>();
    const isNew = (name: string) => !names.has(name) && names.add(name);
    return { count, rows: rows.map((entry) => (entry && isNew(entry.username) ? entry : null)) };
  });

/** The five operations of PIOPIY's SIP endpoint API, each with its kind, its parameters and the body of a successful response. */
export const operations = {
  add_sip: { kind: "write", parameters: ["username", "password"], body: sipEndpoint },
  get_sip: { kind: "read", parameters: ["username"], body: sipEndpoint },
  update_sip: { kind: "write", parameters: ["username", "password"], body: credentials },
  list_sip: { kind: "read", parameters: ["page"], body: page },
  remove_sip: { kind: "write", parameters: ["username"], body: named },
} as const satisfies Record<string, OperationDescription>;

interface OperationDescription {
  readonly kind: "read" | "write";
  readonly parameters: readonly (keyof AllParameters)[];
  readonly body: z.ZodType;
}

interface AllParameters {
  readonly username: string;
  readonly password: Secret;
  /** Pages count from 1 and have ten rows; past the end they are empty. */
  readonly page: number;
}

type Operations = typeof operations;
export type Operation = keyof Operations;
type OfKind<Kind> = { [O in Operation]: Operations[O]["kind"] extends Kind ? O : never }[Operation];
export type ReadOperation = OfKind<"read">;
export type WriteOperation = OfKind<"write">;

/** The parameters of an operation, without the account. */
export type Parameters<O extends Operation> = Pick<AllParameters, Operations[O]["parameters"][number]>;
/** The parameters of any operation. */
export type AnyParameters = Partial<AllParameters>;

/** A username and the password that a softphone registers with. */
export type Credentials = Parameters<"add_sip">;

/** A SIP endpoint of PIOPIY with renamed fields. An invalid field is undefined, and so is a masked or cached password. */
export type SipEndpointRecord = z.output<typeof sipEndpoint>;

/**
 * Up to ten rows of the list, and the number of all endpoints of the account. A row without a valid username, or with a username
 * that appears earlier on the page, is null: it stays in the list, because positions are counted in rows.
 */
export type SipEndpointPage = z.output<typeof page>;
export type SipEndpointRow = SipEndpointPage["rows"][number];

/**
 * The result of an operation. Null means PIOPIY's code 400: for `add_sip` the name is taken, for other operations it is unknown.
 * After a write, the password is the one that was sent.
 */
export type Result<O extends Operation> = O extends "list_sip"
  ? SipEndpointPage
  : (z.output<Operations[O]["body"]> & Pick<Parameters<O>, Extract<keyof Parameters<O>, "password">>) | null;

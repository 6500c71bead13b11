import { z } from "zod";
import { Secret } from "../secret.js";

/** The five calls of PIOPIY's SIP endpoint API. */
export type Operation = "add_sip" | "get_sip" | "update_sip" | "list_sip" | "remove_sip";

/** What a request has beside the account. */
export interface Parameters {
  readonly username?: string;
  readonly password?: Secret;
  readonly page?: number;
}

/** How many rows PIOPIY puts on a page of its list. */
export const PAGE_SIZE = 10;

/** The largest number that the graph has for a list: its Int has 32 bits. */
const MAX_COUNT = 2 ** 31 - 1;
const MAX_USERNAME_BYTES = 256;
/** What a password looks like where it is hidden: nothing, or asterisks and bullets only. */
const MASK = /^[*＊∗•●∙·⦁◦]*$/u;

// A field that has no valid value is undefined, so that the others are of use.
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
      // Counted before they are parsed: a body of 1 MB has room for 300,000 of them.
      rows: z.array(z.unknown()).max(PAGE_SIZE).pipe(z.array(row)),
    }),
  })
  .transform(({ list: { count, rows } }) => {
    const names = new Set<string>();
    const isNew = (name: string) => !names.has(name) && names.add(name);
    return { count, rows: rows.map((entry) => (entry && isNew(entry.username) ? entry : null)) };
  });

/** A SIP endpoint as PIOPIY describes it, renamed. What has no valid value, or is masked, is undefined. */
export type SipEndpointRecord = z.output<typeof sipEndpoint>;
/**
 * Ten rows or fewer of the list, and how many endpoints the account has in all. A row without a valid username, or with one that
 * stands further up on the page, is null: it keeps its place, by which rows are counted.
 */
export type SipEndpointPage = z.output<typeof page>;

/** What a name and a password open: enough to register a softphone once the SBC is known. */
export interface Credentials {
  readonly username: string;
  readonly password: Secret;
}

/** What a successful request brings. After a write the password is the one that was sent. */
interface Answers {
  readonly add_sip: SipEndpointRecord & Credentials;
  readonly get_sip: SipEndpointRecord;
  readonly update_sip: Credentials;
  readonly list_sip: SipEndpointPage;
  readonly remove_sip: { readonly username: string };
}
export type Answer<O extends Operation> = Answers[O];

/** The body of a successful response, for each operation. */
export const shapes = {
  add_sip: sipEndpoint,
  get_sip: sipEndpoint,
  update_sip: credentials,
  list_sip: page,
  remove_sip: named,
} as const satisfies Record<Operation, z.ZodType>;

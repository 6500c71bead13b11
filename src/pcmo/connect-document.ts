import { z } from "zod";
import { isSipUser } from "./sip-user.js";

const targets = z
  .array(z.strictObject({ type: z.literal("sip"), user: z.string().refine(isSipUser) }))
  .min(1)
  .max(100);

/**
 * A PCMO document with one connect action to SIP endpoints, as PIOPIY takes it. `parse` refuses whatever
 * PIOPIY's documents do not show. They disagree on the name of the target list: the samples say `call`, the
 * property table and the vendor's SDK say `connect`; a document has one of the two.
 */
export const connectDocument = z.tuple([
  z
    .strictObject({
      action: z.literal("connect"),
      /** Seconds of talking. */
      duration: z.int().min(1).max(86_400),
      /** Seconds of ringing. */
      timeout: z.int().min(1).max(600),
      /** The caller id: 7 to 15 digits with the country code. */
      from: z.int().min(1_000_000).max(999_999_999_999_999).optional(),
      /** Tries. */
      loop: z.int().min(1).max(10),
      call_type: z.enum(["audio", "video"]),
      /** All at once; without it one rings after another. */
      ring_type: z.literal("group").optional(),
      call: targets.optional(),
      connect: targets.optional(),
    })
    .refine(({ call, connect }) => (call === undefined) !== (connect === undefined)),
]);

export type ConnectDocument = z.output<typeof connectDocument>;

import { z } from "zod";
import { exactlyOne } from "./exactly-one.js";
import { actionFields } from "./fields.js";

const { talkSeconds, ringSeconds, callerId, tries, callType, sipTargets } = actionFields;

/**
 * A PCMO document with one connect action to SIP endpoints, as this gateway writes it. `parse` refuses whatever
 * PIOPIY's documents do not show. They disagree on the name of the target list: the samples say `call`, the
 * property table and the vendor's SDK say `connect`; a document has one of the two.
 */
export const connectDocument = z.tuple([
  exactlyOne(
    "call",
    "connect",
    z.strictObject({
      action: z.literal("connect"),
      duration: talkSeconds,
      timeout: ringSeconds,
      from: callerId.optional(),
      loop: tries,
      call_type: callType,
      /** All at once; without it one rings after another. */
      ring_type: z.literal("group").optional(),
      call: sipTargets.optional(),
      connect: sipTargets.optional(),
    }),
  ),
]);

export type ConnectDocument = z.output<typeof connectDocument>;

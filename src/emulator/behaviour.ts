import { z } from "zod";
import { expected } from "./expected.js";
import { fields } from "./fields.js";

const DAY = 86_400;

/**
 * What the phone of an endpoint does when it is called. It answers so many seconds after it began to ring, and hangs
 * up so many seconds after it answered; it is busy; it rings and nobody comes; or no phone has registered.
 */
export const behaviourSchema = z.union(
  [
    z.strictObject({
      answersAfter: fields.wholeNumber(0, DAY, "seconds"),
      hangsUpAfter: fields.wholeNumber(1, DAY, "seconds").optional(),
    }),
    z.enum(["busy", "never", "unregistered"]),
  ],
  {
    error: expected(
      '{"answersAfter": seconds}, with "hangsUpAfter": seconds if it is to hang up, or "busy", "never" or "unregistered"',
    ),
  },
);

export type Behaviour = z.infer<typeof behaviourSchema>;

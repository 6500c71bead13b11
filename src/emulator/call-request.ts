import { z } from "zod";
import { behaviourSchema } from "./behaviour.js";
import { fields } from "./fields.js";
import { webhookSpellings } from "./webhook.js";

/** A call that PIOPIY is to get: who dials which number, and the answer URL that the number has. */
export const callRequestSchema = z.strictObject({
  to: fields.phoneNumber(),
  from: fields.phoneNumber(),
  answerUrl: fields.url("http", "https"),
  webhook: fields.oneOf(...webhookSpellings).default("strings"),
  /** By username. A map, because a username may be the name of something that every object has. */
  behaviours: z
    .record(z.string(), behaviourSchema)
    .default({})
    .transform((behaviours) => new Map(Object.entries(behaviours))),
});

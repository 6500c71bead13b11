import { z } from "zod";
import { actionSchemas } from "./action-schemas.js";
import { quote } from "./expected.js";

const names = actionSchemas.map(({ shape }) => shape.action.value);

/** A PCMO document: the actions of a call, in order, with the defaults of PIOPIY filled in. */
export const callDocumentSchema = z
  .array(
    z.discriminatedUnion("action", actionSchemas, {
      error: ({ input }) =>
        `expected an object whose action is one of ${names.join(", ")}, got ${quote(input)}`,
    }),
    { error: ({ input }) => `expected an array of actions, got ${quote(input)}` },
  )
  .min(1, { error: "expected at least one action, got an empty array" });

export type CallDocument = z.infer<typeof callDocumentSchema>;

export type ConnectAction = Extract<CallDocument[number], { action: "connect" }>;

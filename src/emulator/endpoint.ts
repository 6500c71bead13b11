import { randomBytes } from "node:crypto";
import { z } from "zod";

const text = z.string().min(1);

/** A SIP endpoint, spelled and ordered as PIOPIY does. */
export const endpointSchema = z.strictObject({
  username: text,
  password: text,
  connect_URL: text,
  audio: z.boolean(),
  video: z.boolean(),
  type: z.enum(["SIP", "PSTN"]),
});

export type Endpoint = z.infer<typeof endpointSchema>;

/** An endpoint of which only the username must be told. */
export const endpointDraftSchema = endpointSchema.partial({
  password: true,
  connect_URL: true,
  audio: true,
  video: true,
  type: true,
});

export type EndpointDraft = z.infer<typeof endpointDraftSchema>;

/** Tells whether no username occurs twice. */
export function areDistinct(endpoints: readonly EndpointDraft[]): boolean {
  return new Set(endpoints.map(({ username }) => username)).size === endpoints.length;
}

/** Fills in what the draft leaves out; a missing password is made up. */
export function completeEndpoint(draft: EndpointDraft, sbc: string): Endpoint {
  return {
    username: draft.username,
    password: draft.password ?? `made-up-${randomBytes(9).toString("base64url")}`,
    connect_URL: draft.connect_URL ?? sbc,
    audio: draft.audio ?? true,
    video: draft.video ?? true,
    type: draft.type ?? "SIP",
  };
}

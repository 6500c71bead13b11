/** How the webhook can be spelled; the newer samples of PIOPIY's documents come first. */
export const webhookSpellings = ["strings", "numbers", "form"] as const;

interface IncomingCall {
  readonly callId: string;
  readonly from: number;
  readonly to: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly webhook: (typeof webhookSpellings)[number];
}

/** What is posted to the answer URL. */
export interface Webhook {
  readonly contentType: string;
  readonly body: string;
}

/**
 * Tells the answer URL of a call. The samples of 2022 and later have phone numbers as strings and an `action`, older
 * ones have numbers and none. A form is in no sample, but users have met one.
 */
export function spellWebhook({ callId, from, to, time, webhook }: IncomingCall): Webhook {
  const strings = { action: "inbound", from: String(from), to: String(to), time, cmiuuid: callId };
  if (webhook === "form") {
    const body = new URLSearchParams({ ...strings, time: String(time) }).toString();
    return { contentType: "application/x-www-form-urlencoded", body };
  }
  const fields = webhook === "numbers" ? { from, to, time, cmiuuid: callId } : strings;
  return { contentType: "application/json", body: JSON.stringify(fields) };
}

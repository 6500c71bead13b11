import type { EndpointEvent } from "../phone-call/timeline.js";

/** Why a phone does not answer, with the SIP status of its response. */
export interface Failure {
  readonly event: EndpointEvent | "refuses";
  readonly status: number;
}

/** The first status of each event is the one that a caller gets for it. */
const eventOf: ReadonlyMap<number, EndpointEvent> = new Map([
  [486, "is busy"],
  [600, "is busy"],
  [603, "declines"],
  [403, "declines"],
  [480, "is not available"],
  [404, "is not available"],
  [488, "cannot take this call"],
  [415, "cannot take this call"],
  [606, "cannot take this call"],
  [408, "cannot be reached"],
]);

/** Returns the failure that a final SIP status of a phone, 300 to 699, stands for. */
export function failureOf(status: number): Failure {
  return { event: eventOf.get(status) ?? "refuses", status };
}

/** Returns the SIP status that stands for the event of a phone that did not answer. */
export function statusOf(event: string): number {
  if (event === "stops ringing") return 408;
  const [status = 480] = [...eventOf].find(([, other]) => other === event) ?? [];
  return status;
}

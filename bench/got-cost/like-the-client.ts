import got, {
  type CancelableRequest,
  type ExtendOptions,
  type Got,
  type OptionsInit,
  type Progress,
} from "got";
import { MAX_REPLY_BYTES, presentDefaults } from "./present.js";
import type { Post } from "./variants.js";

/** In what a call differs from the client's. */
interface Change {
  /** Set once, over what the client sets. */
  readonly extend?: ExtendOptions;
  /** What the client sets once and this leaves as got has it. */
  readonly without?: keyof ExtendOptions;
  /** Instead of the instance that has the client's settings. */
  readonly instance?: Got;
  /** Set in each call, over what the client sets there. */
  readonly call?: OptionsInit;
  readonly url?: (url: string) => URL;
  readonly listens?: false;
  readonly hasSignal?: false;
  /** Only the body and the signal are set in a call. */
  readonly isLean?: true;
}

/** A call as the gateway's client makes it, but for the change. */
export function like({ extend = {}, without, url: spell, ...change }: Change): (url: string) => Post {
  return (address) => {
    const defaults = presentDefaults();
    if (without) delete defaults[without];
    const http = change.instance ?? got.extend(defaults, extend);
    const url = spell?.(address) ?? address;
    return async (body) => {
      const attempt = new AbortController();
      const own = change.hasSignal === false ? { body } : { body, signal: attempt.signal };
      const request = (
        change.isLean ? http(url, own) : http.post(url, { ...own, ...change.call, responseType: "buffer" })
      ) as CancelableRequest<unknown>;
      if (change.listens !== false) {
        request.on("downloadProgress", ({ transferred }: Progress) => {
          if (transferred > MAX_REPLY_BYTES) attempt.abort("large");
        });
      }
      const answer = await request;
      return Buffer.isBuffer(answer) ? answer : (answer as { body: Buffer }).body;
    };
  };
}

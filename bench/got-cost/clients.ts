import got, { type ExtendOptions, type Got, type StreamOptions } from "got";
import { type Defaults, presentDefaults } from "./present.js";
import { readStream } from "./read-stream.js";
import type { Post } from "./variants.js";

/** In what a call differs from the client's. */
interface Change {
  /** Set once, over what the client sets. */
  readonly extend?: ExtendOptions;
  /** What the client sets once and this leaves as got has it. */
  readonly without?: keyof Defaults;
  /** Instead of the instance that has the client's settings. */
  readonly instance?: Got;
  /** Set in each call. */
  readonly call?: StreamOptions;
  readonly url?: (url: string) => URL;
  readonly hasSignal?: true;
}

/** A call as the gateway's client makes it, but for the change. */
export function like({ extend = {}, without, url: spell, ...change }: Change): (url: string) => Post {
  return (address) => {
    const http = change.instance ?? got.extend(defaults(without), extend);
    const url = spell?.(address) ?? address;
    return (body) => {
      const signal = change.hasSignal ? { signal: new AbortController().signal } : {};
      return readStream(http.stream(url, { ...change.call, ...signal, body }));
    };
  };
}

/** The same by got's promise. `listens`: the size of the reply is watched as it comes. */
export function promised(listens: boolean, without?: keyof Defaults): (url: string) => Post {
  return (url) => {
    const http = got.extend(defaults(without), { responseType: "buffer" });
    return async (body) => {
      const request = http(url, { body });
      if (listens) request.on("downloadProgress", () => {});
      return (await request).body as unknown as Buffer;
    };
  };
}

function defaults(without: keyof Defaults | undefined): Defaults {
  const all = presentDefaults();
  if (without) delete all[without];
  return all;
}

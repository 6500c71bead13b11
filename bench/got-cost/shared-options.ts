import got, { Options, type Request } from "got";
import { presentDefaults } from "./present.js";
import { readStream } from "./read-stream.js";
import type { Post } from "./variants.js";

type Internal = (url: undefined, options: undefined, defaults: Options) => unknown;

/**
 * One `Options` for all calls, whose body and signal are changed before each. got copies it at once, so that calls
 * do not disturb each other; the third parameter is the one that got's own pagination uses.
 */
export function sharedOptions(url: string, isStream: boolean): Post {
  const instance = got.extend(presentDefaults());
  const shared = new Options(
    url,
    { method: "POST", responseType: "buffer", ...(isStream ? { isStream, decompress: false } : {}) },
    instance.defaults.options,
  );
  const ask = instance as unknown as Internal;
  return async (body) => {
    shared.body = body;
    shared.signal = new AbortController().signal;
    const request = ask(undefined, undefined, shared);
    if (isStream) return readStream(request as Request);
    return ((await request) as { body: Buffer }).body;
  };
}

import got, { Options, type Request } from "got";
import { presentDefaults } from "./present.js";
import { readStream } from "./read-stream.js";
import type { Post } from "./variants.js";

type Internal = (url: undefined, options: undefined, defaults: Options) => unknown;

/**
 * One `Options` for all calls, whose body is changed before each. got copies it at once, so that calls do not disturb
 * each other; the third parameter is the one that got's own pagination uses.
 */
export function sharedOptions(url: string): Post {
  const instance = got.extend(presentDefaults());
  const shared = new Options(url, { isStream: true }, instance.defaults.options);
  const ask = instance as unknown as Internal;
  return (body) => {
    shared.body = body;
    return readStream(ask(undefined, undefined, shared) as Request);
  };
}

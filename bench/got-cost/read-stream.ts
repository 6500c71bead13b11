import got, { type ExtendOptions, type Request } from "got";
import { MAX_REPLY_BYTES, presentDefaults } from "./present.js";
import type { Post } from "./variants.js";

/** A call by got's stream instead of its promise, with the same guards as the client's. */
export function streamed(extend: ExtendOptions): (url: string) => Post {
  const http = got.extend(presentDefaults(), { method: "POST", isStream: true, ...extend });
  return (url) => (body) => {
    const attempt = new AbortController();
    return readStream(http.stream(url, { body, signal: attempt.signal }));
  };
}

/** The bytes that a stream of got's brings; a body that is too large ends it. */
export function readStream(stream: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    stream.on("data", (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length > MAX_REPLY_BYTES) stream.destroy();
    });
    stream.once("end", () => resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)));
    stream.once("error", reject);
  });
}

import type { Request } from "got";
import { MAX_REPLY_BYTES } from "./present.js";

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
    stream.on("error", reject);
    stream.once("close", reject);
    stream.once("end", () => resolve(Buffer.concat(parts)));
  });
}

import got from "got";
import { like } from "./like-the-client.js";
import { nodePost, undiciPost } from "./others.js";
import { keptAlive, presentDefaults } from "./present.js";
import { streamed } from "./read-stream.js";
import { sharedOptions } from "./shared-options.js";

/** Posts a body and gives back the reply's bytes. */
export type Post = (body: string) => Promise<Buffer>;

export interface Variant {
  readonly title: string;
  prepare(url: string): Post;
}

/** The way that all others are compared with. */
export const PRESENT = "present";

export const variants: Readonly<Record<string, Variant>> = {
  undici: { title: "undici, Pool.request", prepare: undiciPost },
  node: { title: "node:http, request", prepare: nodePost },
  plain: {
    title: "got, nothing set but the keep-alive agent",
    prepare: (url) => async (body) => (await got.post(url, { ...keptAlive(), body })).rawBody,
  },
  [PRESENT]: { title: "got, as the client uses it", prepare: like({}) },
  "no-decompress": { title: "… decompress: false", prepare: like({ extend: { decompress: false } }) },
  "no-progress": { title: "… no downloadProgress listener", prepare: like({ listens: false }) },
  "no-signal": { title: "… no signal", prepare: like({ hasSignal: false }) },
  "no-extend": {
    title: "… everything in the call, no extend",
    prepare: like({ extend: {}, instance: got, call: presentDefaults() }),
  },
  "url-object": { title: "… a URL object", prepare: like({ url: (url) => new URL(url) }) },
  "retry-default": { title: "… retry as got has it", prepare: like({ without: "retry" }) },
  "throws-for-status": {
    title: "… throwHttpErrors as got has it",
    prepare: like({ without: "throwHttpErrors" }),
  },
  "follows-redirects": {
    title: "… followRedirect as got has it",
    prepare: like({ without: "followRedirect" }),
  },
  "no-jar-no-cache": {
    title: "… cookieJar, cache and dnsCache said to be off",
    prepare: like({ extend: { cookieJar: undefined, cache: undefined, dnsCache: false } }),
  },
  "timeout-request": {
    title: "… timeout.request 5000",
    prepare: like({ extend: { timeout: { request: 5000 } } }),
  },
  "timeout-all": {
    title: "… timeout: connect, send, response, socket",
    prepare: like({ extend: { timeout: { connect: 5000, send: 5000, response: 5000, socket: 5000 } } }),
  },
  hooks: {
    title: "… one beforeRequest and one afterResponse hook",
    prepare: like({
      extend: { hooks: { beforeRequest: [() => undefined], afterResponse: [(response) => response] } },
    }),
  },
  "fewer-options": {
    title: "… method and responseType in extend, only body and signal in the call",
    prepare: like({ extend: { method: "POST", responseType: "buffer" }, isLean: true }),
  },
  "strict-off": {
    title: "… strictContentLength: false",
    prepare: like({ extend: { strictContentLength: false } }),
  },
  "body-only": { title: "… resolveBodyOnly", prepare: like({ extend: { resolveBodyOnly: true } }) },
  "lean-promise": {
    title: "… fewer options, decompress: false, no listener",
    prepare: like({
      extend: { method: "POST", responseType: "buffer", decompress: false },
      isLean: true,
      listens: false,
    }),
  },
  "shared-options": {
    title: "… one Options object for all calls, no listener",
    prepare: (url) => sharedOptions(url, false),
  },
  stream: { title: "… got.stream, its bytes counted by 'data' events", prepare: streamed({}) },
  "stream-lean": {
    title: "… got.stream, decompress: false, fewer options",
    prepare: streamed({ decompress: false }),
  },
  "shared-stream": {
    title: "… got.stream, one Options object, decompress: false",
    prepare: (url) => sharedOptions(url, true),
  },
};

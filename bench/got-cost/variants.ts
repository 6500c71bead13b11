import got from "got";
import {
  keptAlive,
  like,
  nodePost,
  presentDefaults,
  promised,
  sharedOptions,
  undiciPost,
} from "./clients.js";

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
  [PRESENT]: { title: "got, as the client uses it: a stream, three options for Node.js", prepare: like({}) },
  "promise-listening": {
    title: "… got's promise, a downloadProgress listener, all options for Node.js",
    prepare: promised(true, "handlers"),
  },
  promise: { title: "… got's promise", prepare: promised(false) },
  "all-options": { title: "… all options for Node.js", prepare: like({ without: "handlers" }) },
  signal: { title: "… a signal", prepare: like({ hasSignal: true }) },
  "no-decompress": { title: "… decompress: false", prepare: like({ extend: { decompress: false } }) },
  "no-extend": {
    title: "… everything in the call, no extend",
    prepare: like({ instance: got, call: presentDefaults() }),
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
    title: "… one beforeRequest hook",
    prepare: like({ extend: { hooks: { beforeRequest: [() => undefined] } } }),
  },
  "strict-off": {
    title: "… strictContentLength: false",
    prepare: like({ extend: { strictContentLength: false } }),
  },
  "shared-options": { title: "… one Options object for all calls", prepare: sharedOptions },
};

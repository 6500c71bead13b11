import got from "got";
import {
  gatewayDefaults,
  gotPromise,
  gotSharedOptions,
  gotStream,
  keepAliveAgent,
  nodePost,
  type Post,
  undiciPost,
} from "./clients.js";

export interface Variant {
  readonly title: string;
  prepare(url: string): Post;
}

/** The variant that all others are compared with. */
export const AS_GATEWAY = "gateway";

export const variants: Readonly<Record<string, Variant>> = {
  undici: { title: "undici, Pool.request", prepare: undiciPost },
  node: { title: "node:http, request", prepare: nodePost },
  plain: {
    title: "got, default options and the keep-alive agent",
    prepare: (url) => async (body) => (await got.post(url, { ...keepAliveAgent(), body })).rawBody,
  },
  [AS_GATEWAY]: {
    title: "got, as in the gateway: a stream, three options for Node.js",
    prepare: gotStream(),
  },
  "promise-listening": {
    title: "… a promise, a downloadProgress listener, all options for Node.js",
    prepare: gotPromise(true, "handlers"),
  },
  promise: { title: "… a promise", prepare: gotPromise(false) },
  "all-options": { title: "… all options for Node.js", prepare: gotStream({ without: "handlers" }) },
  signal: { title: "… a signal", prepare: gotStream({ hasSignal: true }) },
  "no-decompress": { title: "… decompress: false", prepare: gotStream({ extend: { decompress: false } }) },
  "no-extend": {
    title: "… all options in the request, no extend",
    prepare: gotStream({ instance: got, request: gatewayDefaults() }),
  },
  "url-object": { title: "… a URL object", prepare: gotStream({ url: (url) => new URL(url) }) },
  "retry-default": { title: "… retry at its default", prepare: gotStream({ without: "retry" }) },
  "throws-for-status": {
    title: "… throwHttpErrors at its default",
    prepare: gotStream({ without: "throwHttpErrors" }),
  },
  "follows-redirects": {
    title: "… followRedirect at its default",
    prepare: gotStream({ without: "followRedirect" }),
  },
  "no-jar-no-cache": {
    title: "… cookieJar, cache and dnsCache turned off",
    prepare: gotStream({ extend: { cookieJar: undefined, cache: undefined, dnsCache: false } }),
  },
  "timeout-request": {
    title: "… timeout.request 5000",
    prepare: gotStream({ extend: { timeout: { request: 5000 } } }),
  },
  "timeout-all": {
    title: "… timeout: connect, send, response, socket",
    prepare: gotStream({ extend: { timeout: { connect: 5000, send: 5000, response: 5000, socket: 5000 } } }),
  },
  hooks: {
    title: "… one beforeRequest hook",
    prepare: gotStream({ extend: { hooks: { beforeRequest: [() => undefined] } } }),
  },
  "strict-off": {
    title: "… strictContentLength: false",
    prepare: gotStream({ extend: { strictContentLength: false } }),
  },
  "shared-options": { title: "… one Options object for all requests", prepare: gotSharedOptions },
};

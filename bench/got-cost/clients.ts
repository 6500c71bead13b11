import { Agent, request } from "node:http";
import got, {
  type ExtendOptions,
  type Got,
  type HandlerFunction,
  Options,
  type Request,
  type StreamOptions,
} from "got";
import { Pool } from "undici";
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

export const MAX_REPLY_BYTES = 1_000_000;

export const headers = {
  "content-type": "application/json",
  accept: "application/json",
  "user-agent": "piopiy-graphql-gateway",
};

const agent = { http: new Agent({ keepAlive: true }) };

export function keptAlive(): { agent: { http: Agent } } {
  return { agent };
}

/** Has a request made with three options instead of got's thirty. */
const useThree: HandlerFunction = (options, next) => {
  options.createNativeRequestOptions = () => {
    const three = { method: options.method, headers: options.headers, agent: agent.http };
    return three as ReturnType<typeof options.createNativeRequestOptions>;
  };
  return next(options);
};

export type Defaults = Omit<ExtendOptions, "isStream">;

/** How this gateway's client sets its instance of got up, once. */
export function presentDefaults(): Defaults {
  return {
    agent,
    method: "POST",
    headers,
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    handlers: [useThree],
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
    stream.on("error", reject);
    stream.once("close", reject);
    stream.once("end", () => resolve(Buffer.concat(parts)));
  });
}

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

/** What the same call costs with undici. */
export function undiciPost(url: string): Post {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin);
  return async (body) => {
    const reply = await pool.request({ path: pathname, method: "POST", headers, body });
    return Buffer.from(await reply.body.arrayBuffer());
  };
}

/** What it costs with Node's own client, which got is built on. */
export function nodePost(url: string): Post {
  const agent = keptAlive().agent.http;
  return (body) =>
    new Promise((resolve, reject) => {
      const length = { "content-length": Buffer.byteLength(body) };
      const asked = request(url, { method: "POST", agent, headers: { ...headers, ...length } }, (reply) => {
        const parts: Buffer[] = [];
        reply.on("data", (part: Buffer) => parts.push(part));
        reply.once("end", () => resolve(Buffer.concat(parts)));
      });
      asked.once("error", reject);
      asked.end(body);
    });
}

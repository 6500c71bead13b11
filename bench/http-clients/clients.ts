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

/** Posts a body and returns the bytes of the response. */
export type Post = (body: string) => Promise<Buffer>;

const MAX_RESPONSE_BYTES = 1_000_000;

const headers = {
  "content-type": "application/json",
  accept: "application/json",
  "user-agent": "piopiy-graphql-gateway",
};

const agent = { http: new Agent({ keepAlive: true }) };

/** How a request differs from the gateway's. */
interface Difference {
  /** Options of the instance, over the gateway's. */
  readonly extend?: ExtendOptions;
  /** The option of the gateway that is left at got's default. */
  readonly without?: keyof Defaults;
  /** Replaces the instance that has the gateway's options. */
  readonly instance?: Got;
  /** Options of each request. */
  readonly request?: StreamOptions;
  readonly url?: (url: string) => URL;
  readonly hasSignal?: true;
}

/** Posts by got's stream as the gateway does, but for the difference. */
export function gotStream({
  extend = {},
  without,
  url: convert,
  ...difference
}: Difference = {}): (url: string) => Post {
  return (address) => {
    const http = difference.instance ?? got.extend(defaults(without), extend);
    const url = convert?.(address) ?? address;
    return (body) => {
      const signal = difference.hasSignal ? { signal: new AbortController().signal } : {};
      return readStream(http.stream(url, { ...difference.request, ...signal, body }));
    };
  };
}

/** Posts by got's promise. @param listens to the progress of the response */
export function gotPromise(listens: boolean, without?: keyof Defaults): (url: string) => Post {
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
  const all = gatewayDefaults();
  if (without) delete all[without];
  return all;
}

/** Returns the agent that all ways share. */
export function keepAliveAgent(): { agent: { http: Agent } } {
  return { agent };
}

/** Gives Node.js three options instead of got's thirty. */
const useThreeOptions: HandlerFunction = (options, next) => {
  options.createNativeRequestOptions = () => {
    const three = { method: options.method, headers: options.headers, agent: agent.http };
    return three as ReturnType<typeof options.createNativeRequestOptions>;
  };
  return next(options);
};

type Defaults = Omit<ExtendOptions, "isStream">;

/** Returns the options of the gateway's instance of got. */
export function gatewayDefaults(): Defaults {
  return {
    agent,
    method: "POST",
    headers,
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    handlers: [useThreeOptions],
  };
}

/** Returns the bytes of got's stream; a body that is too large ends it. */
function readStream(stream: Request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    stream.on("data", (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length > MAX_RESPONSE_BYTES) stream.destroy();
    });
    stream.on("error", reject);
    stream.once("close", reject);
    stream.once("end", () => resolve(Buffer.concat(parts)));
  });
}

type Internal = (url: undefined, options: undefined, defaults: Options) => unknown;

/**
 * Posts with one `Options` object for all requests, whose body is changed before each. got copies it at once, so that
 * requests do not disturb each other; the third parameter is the one that got's own pagination uses.
 */
export function gotSharedOptions(url: string): Post {
  const instance = got.extend(gatewayDefaults());
  const shared = new Options(url, { isStream: true }, instance.defaults.options);
  const send = instance as unknown as Internal;
  return (body) => {
    shared.body = body;
    return readStream(send(undefined, undefined, shared) as Request);
  };
}

/** Posts by undici. */
export function undiciPost(url: string): Post {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin);
  return async (body) => {
    const reply = await pool.request({ path: pathname, method: "POST", headers, body });
    return Buffer.from(await reply.body.arrayBuffer());
  };
}

/** Posts by Node's own client, which got is built on. */
export function nodePost(url: string): Post {
  const agent = keepAliveAgent().agent.http;
  return (body) =>
    new Promise((resolve, reject) => {
      const length = { "content-length": Buffer.byteLength(body) };
      const outgoing = request(
        url,
        { method: "POST", agent, headers: { ...headers, ...length } },
        (reply) => {
          const parts: Buffer[] = [];
          reply.on("data", (part: Buffer) => parts.push(part));
          reply.once("end", () => resolve(Buffer.concat(parts)));
        },
      );
      outgoing.once("error", reject);
      outgoing.end(body);
    });
}

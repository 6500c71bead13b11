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

/** Sends a POST request and returns the bytes of the response. */
export type Post = (body: string) => Promise<Buffer>;

const MAX_RESPONSE_BYTES = 1_000_000;

const headers = {
  "content-type": "application/json",
  accept: "application/json",
  "user-agent": "piopiy-graphql-gateway",
};

const agent = { http: new Agent({ keepAlive: true }) };

/** The differences of a variant from the gateway's requests. */
interface Difference {
  /** Options that extend or override the options of the gateway's instance. */
  readonly extend?: ExtendOptions;
  /** The option of the gateway that has got's default here. */
  readonly without?: keyof Defaults;
  /** Used in place of the instance with the gateway's options. */
  readonly instance?: Got;
  /** Options of each request. */
  readonly request?: StreamOptions;
  readonly url?: (url: string) => URL;
  readonly hasSignal?: true;
}

/** Sends requests with got's stream as the gateway does, except for the given difference. */
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

/** Sends requests with got's promise. @param listens adds a listener for the download progress */
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

/** Returns the agent that all variants share. */
export function keepAliveAgent(): { agent: { http: Agent } } {
  return { agent };
}

/** Passes three options to Node.js instead of got's thirty. */
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

/** Returns the bytes of got's stream. Aborts it when the body is too large. */
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
 * Sends all requests with one `Options` object, whose body is replaced before each request. got copies the object immediately, so
 * requests do not affect each other. got's own pagination uses the same third parameter.
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

/** Sends requests with undici. */
export function undiciPost(url: string): Post {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin);
  return async (body) => {
    const reply = await pool.request({ path: pathname, method: "POST", headers, body });
    return Buffer.from(await reply.body.arrayBuffer());
  };
}

/** Sends requests with Node's own client, which got is built on. */
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

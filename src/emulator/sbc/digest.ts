import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingInviteRequest, IncomingRegisterRequest } from "sip.js/lib/core/index.js";
import type { Endpoints } from "../endpoints.js";
import type { Flow } from "./flow.js";
import { LoginLimit } from "./login-limit.js";

const REALM = "piopiy-emulator";
/** Milliseconds after which a phone must use a new nonce. */
const NONCE_LIFETIME_MS = 300_000;

/** `www`: as a registrar, with 401. `proxy`: as a proxy, with 407. */
const headers = {
  www: { status: 401, challenge: "WWW-Authenticate", credentials: "authorization" },
  proxy: { status: 407, challenge: "Proxy-Authenticate", credentials: "proxy-authorization" },
} as const;

/**
 * Authenticates phones by digest (RFC 3261, 22): with MD5, because most phones support nothing else, and with or without
 * `qop=auth`. A nonce is its time and a signature, so that challenges need no memory.
 */
export class Authentication {
  readonly #key = randomBytes(32);
  readonly #limit = new LoginLimit();

  constructor(private readonly endpoints: Pick<Endpoints, "find">) {}

  /**
   * Returns the username of the endpoint whose password the request proves. Otherwise responds to the request with 401 or 407, or
   * with 403 after too many failures of its IP address, and returns undefined.
   */
  authenticate(
    flow: Flow,
    request: IncomingRegisterRequest | IncomingInviteRequest,
    kind: "www" | "proxy",
  ): string | undefined {
    const address = flow.wire.remoteAddress;
    const seconds = this.#limit.secondsLeft(address);
    if (seconds !== undefined) {
      request.reject({
        statusCode: 403,
        reasonPhrase: "Too Many Failed Authentications",
        extraHeaders: [`Retry-After: ${seconds}`],
      });
      return undefined;
    }
    const { status, challenge, credentials } = headers[kind];
    const given = request.message
      .getHeaders(credentials)
      .map(parseCredentials)
      .find((fields) => fields?.get("realm") === REALM);
    const username = given && this.#usernameOf(given, request.message.method);
    const isFresh = given !== undefined && this.#isFresh(given.get("nonce") ?? "");
    if (username !== undefined && isFresh) return username;
    if (given && username === undefined) this.#limit.failed(address);
    // With `stale`, phones repeat the request with the same password and do not ask the user for another one.
    const stale = username === undefined ? "" : ", stale=true";
    const fields = `realm="${REALM}", nonce="${this.#nonce()}", algorithm=MD5, qop="auth"${stale}`;
    request.reject({ statusCode: status, extraHeaders: [`${challenge}: Digest ${fields}`] });
    return undefined;
  }

  /** Returns the username if the response is that of its endpoint, whatever the nonce is. */
  #usernameOf(fields: ReadonlyMap<string, string>, method: string): string | undefined {
    const field = (name: string) => fields.get(name) ?? "";
    const username = field("username");
    const endpoint = this.endpoints.find(username);
    if (!endpoint || (field("algorithm") || "MD5").toUpperCase() !== "MD5") return undefined;
    const qop = field("qop").toLowerCase();
    if (qop !== "" && qop !== "auth") return undefined;
    const secret = md5(`${username}:${REALM}:${endpoint.password}`);
    const client = qop === "" ? "" : `:${field("nc")}:${field("cnonce")}:${field("qop")}`;
    const expected = md5(`${secret}:${field("nonce")}${client}:${md5(`${method}:${field("uri")}`)}`);
    return isEqual(expected, field("response").toLowerCase()) ? username : undefined;
  }

  #nonce(time = Math.trunc(performance.now()).toString(16)): string {
    return `${time}.${createHmac("sha256", this.#key).update(time).digest("hex").slice(0, 32)}`;
  }

  #isFresh(nonce: string): boolean {
    const [time = ""] = nonce.split(".", 1);
    return (
      isEqual(nonce, this.#nonce(time)) && performance.now() - Number.parseInt(time, 16) < NONCE_LIFETIME_MS
    );
  }
}

/** Parses the value of an Authorization header. Returns undefined unless it is a digest. The first of two equal names counts. */
function parseCredentials(value: string): ReadonlyMap<string, string> | undefined {
  if (!/^Digest\s/i.test(value)) return undefined;
  const fields = new Map<string, string>();
  // The lookbehind keeps the time linear for a long word without `=`.
  for (const [, name = "", quoted, token = ""] of value
    .slice("Digest".length)
    .matchAll(/(?<![a-z])([a-z]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/gi)) {
    if (!fields.has(name.toLowerCase())) {
      fields.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, "$1") ?? token);
    }
  }
  return fields;
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

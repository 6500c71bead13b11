import { type Responder, send } from "./broken-upstream.js";

/** Secret texts for tests of leaks. JSON escapes their last characters. */
export const canaries = {
  secret: 'canary-secret-"\\',
  password: 'canary-password-"\\',
  key: "canary-key-1",
};

/** Returns whether a text contains a canary, escaped or not. */
export function holdsCanary(text: string, kind: keyof typeof canaries): boolean {
  return text.includes(`canary-${kind}`);
}

/** Responses that repeat the body of the request, in every part of a response. */
export const echoes: [string, Responder][] = [
  ["words", (response, { body }) => send(response, { body: { code: "cmi-404", msg: `wrong: ${body}` } })],
  ["words with a status", (response, { body }) => send(response, { status: 500, body: { message: body } })],
  [
    "each value in words",
    (response, { body }) => {
      send(response, { body: { code: 404, msg: Object.values(JSON.parse(body)).join(" ") } });
    },
  ],
  [
    "words that are an object",
    (response, { body }) => send(response, { body: { code: 404, msg: JSON.parse(body) } }),
  ],
  ["a busy page", (response, { body }) => send(response, { status: 503, body: `<pre>${body}</pre>` })],
  ["a page", (response, { body }) => send(response, { body: `<pre>${body}</pre>` })],
  [
    "a rejected account",
    (response, { body }) => send(response, { status: 420, body: { code: 420, msg: body } }),
  ],
  [
    "a code",
    (response, { body }) => send(response, { body: { ...JSON.parse(body), code: `cmi-404 ${body}` } }),
  ],
  [
    "a success without its fields",
    (response, { body }) => {
      send(response, { body: { code: 200, type: body, audio: body, list: { count: body } } });
    },
  ],
  [
    "a redirect",
    (response, { body }) => send(response, { status: 307, headers: { location: `/${encodeURI(body)}` } }),
  ],
  [
    "headers",
    (response, { body }) => send(response, { status: 429, headers: { "retry-after": body, "x-body": body } }),
  ],
  ["a reason", (response, { body }) => response.writeHead(500, body).end()],
  ["no HTTP", (response, { body }) => response.socket?.end(body)],
  ["half a response", (response, { body }) => response.writeHead(200).write(body, () => response.destroy())],
  ["a head that breaks off", (response, { body }) => response.socket?.end(`HTTP/1.1 200 OK\r\n${body}`)],
];

import { type Behaviour, send } from "./broken-upstream.js";

/** Made-up texts that must not turn up where they do not belong. JSON spells their ends in another way. */
export const canaries = {
  secret: 'canary-secret-"\\',
  password: 'canary-password-"\\',
  key: "canary-key-1",
};

/** Tells whether any spelling of a canary is in the text. */
export function holdsCanary(text: string, kind: keyof typeof canaries): boolean {
  return text.includes(`canary-${kind}`);
}

/** Answers that repeat all of what the upstream was sent, in every place that an answer has. */
export const echoes: [string, Behaviour][] = [
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
    "a refused account",
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
  ["half an answer", (response, { body }) => response.writeHead(200).write(body, () => response.destroy())],
  ["a head that breaks off", (response, { body }) => response.socket?.end(`HTTP/1.1 200 OK\r\n${body}`)],
];

import type { Message, RawPhone } from "../support/sip/raw-phone.js";
import type { SeededRandom } from "./seeded-random.js";

const SDP =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\nm=video 9 RTP/AVP 96\r\n";
const METHODS = [
  "REGISTER",
  "INVITE",
  "INVITE",
  "INVITE",
  "ACK",
  "CANCEL",
  "BYE",
  "OPTIONS",
  "INFO",
  "MESSAGE",
  "REFER",
];
const HEADERS = [
  "Via",
  "v",
  "From",
  "f",
  "To",
  "t",
  "Contact",
  "m",
  "Call-ID",
  "CSeq",
  "Expires",
  "Content-Length",
  "l",
];
const VALUES = [
  "",
  " ",
  "*",
  "<",
  ">",
  "%zz",
  "%00",
  "\0",
  "\r",
  "\n",
  "\r\n ",
  "\r\n\r\n",
  '"',
  "\\",
  ",",
  ";",
  ";;=;",
  ":",
  "@",
  "sip:",
  "tel:1",
];
const MORE_VALUES = [
  "4294967296",
  "-1",
  "1e9",
  "NaN",
  "__proto__",
  "constructor",
  "\ud800",
  "é€",
  "💥",
  "=",
  "[::1]",
  "[",
  "999",
  "0",
];

/** Returns a request that the emulator accepts, or almost. */
export function request(phone: RawPhone, random: SeededRandom): string {
  const method = random.pick(METHODS);
  const uri = random.pick([
    "sip:alice@127.0.0.1",
    "sip:914471000000@127.0.0.1",
    "sip:127.0.0.1",
    "sip:nobody@x",
  ]);
  const name = random.pick(["919999900000", "alice", "bob"]);
  const headers = {
    From: `<sip:${name}@127.0.0.1>;tag=${random.whole(1, 9)}`,
    To: `<${uri}>${random.pick(["", "", ";tag=1"])}`,
    Contact: random.pick([`<${phone.contact(name)}>`, "*", "<sip:a@x.invalid>;expires=0"]),
    Expires: random.pick(["0", "60"]),
    "Content-Type": "application/sdp",
    Authorization: `Digest username="alice", realm="piopiy-emulator", nonce="${random.next()}", uri="${uri}", response="0"`,
  };
  return phone.request(method, uri, headers, random.pick(["", SDP]));
}

/** Returns a response to a received request. */
export function response(received: Message, random: SeededRandom): string {
  const copied = ["Via", "From", "Call-ID", "CSeq"].flatMap((name) =>
    received.all(name).map((value) => `${name}: ${value}`),
  );
  const status = random.pick([
    "100 Trying",
    "180 Ringing",
    "183 Progress",
    "200 OK",
    "302 Moved",
    "486 Busy",
    "600 Busy",
    "700 No",
    "99 No",
  ]);
  const body = random.pick(["", SDP]);
  const rest = [
    `To: ${received.all("To")[0]};tag=${random.whole(1, 3)}`,
    random.pick(["X: y", "Contact: <sip:a@127.0.0.1:9>", "Contact: *"]),
    "Content-Type: application/sdp",
    `Content-Length: ${body.length}`,
  ];
  return `SIP/2.0 ${status}\r\n${[...copied, ...rest].join("\r\n")}\r\n\r\n${body}`;
}

/** Returns a message with up to four errors. */
export function malformed(text: string, random: SeededRandom): string {
  let result = text;
  for (let count = random.whole(0, 4); count > 0; count--) result = random.pick(ERRORS)(result, random);
  return result;
}

const ERRORS: readonly ((text: string, random: SeededRandom) => string)[] = [
  (text, random) => splice(text, random, 1, String.fromCharCode(random.whole(0, 255))),
  (text, random) => splice(text, random, 0, random.pick([...VALUES, ...MORE_VALUES])),
  (text, random) => splice(text, random, random.whole(1, 60), ""),
  (text, random) => text.slice(0, random.whole(0, text.length)),
  (text, random) => splice(text, random, 0, text.slice(random.whole(0, text.length)).slice(0, 80)),
  // A header with another value, once or often.
  (text, random) => {
    const header = `${random.pick(HEADERS)}: ${random.pick([...VALUES, ...MORE_VALUES, "<sip:a@b>"])}\r\n`;
    return text.replace("\r\n", `\r\n${header.repeat(random.pick([1, 1, 2, 100, 5000]))}`);
  },
  // A header that is missing.
  (text, random) => text.replace(new RegExp(`^${random.pick(HEADERS)}: .*\r\n`, "im"), ""),
  // Long values, which a grammar may read several times.
  (text, random) => {
    const unit = random.pick([
      "a",
      " ",
      "<sip:a@b>,",
      ";a=b",
      '"',
      "\\a",
      "a.",
      "%41",
      "\r\n ",
      ";",
      "a:",
      "((",
      ", ",
    ]);
    const long = unit.repeat(random.pick([500, 3000, 15_000, 65_000]) / unit.length);
    return text.replace(new RegExp(`(?<=^${random.pick(HEADERS)}: )`, "im"), () => long);
  },
  (text, random) =>
    text.replace(
      /^(\S+) \S+/,
      `$1 ${random.pick(["sip:", "sip:%zz@x", "sips:a@b", "tel:1", "http:x", "*", "sip:a@[::1"])}`,
    ),
  (text, random) =>
    text.replace(
      /CSeq: \d+ \S+/,
      `CSeq: ${random.pick(["-1 INVITE", "1", "99999999999999999999 BYE", "1 \0", "0x1 ACK"])}`,
    ),
  (text, random) => text.replace(/z9hG4bK\w+/, random.pick(["", "z9hG4bK", "1", "z9hG4bK1"])),
  (text, random) => text.replaceAll("\r\n", random.pick(["\n", "\r", "\r\n\r\n"])),
];

function splice(text: string, random: SeededRandom, length: number, inserted: string): string {
  const at = random.whole(0, text.length);
  return text.slice(0, at) + inserted + text.slice(at + length);
}

/**
 * SIPp's scenarios. In their messages, SIPp replaces `[user]`, the username of the phone, `[service]`, the called number or
 * username, and its own keywords, such as `[last_Via:]`, a header of the last message received.
 */
export const scenarios = {
  /** Registers. The response to the request with credentials has this status. */
  register: (status: number) =>
    scenario(
      send(register(1)),
      receive(401, 'auth="true"'),
      send(register(2, "[authentication]"), "until its response"),
      receive(status),
    ),

  /** Calls, and ends after the other side's BYE. */
  callUntilBye: () =>
    scenario(
      ...invite(),
      receive(180, 'optional="true"'),
      receive(200, 'rrs="true"'),
      // The address of the ACK is the Contact of the response.
      send(`ACK [next_url] SIP/2.0\n${headers(2, "ACK", `${CALLEE}[peer_tag_param]`, "ack")}`),
      receive("BYE"),
      respond("200 OK"),
    ),

  /** Calls, and expects to be refused with this status. */
  callRefused: (status: number) =>
    scenario(...invite(), receive(180, 'optional="true"'), receive(status), acknowledge(2)),

  /** Calls, and cancels when the other side rings. */
  callThenCancel: () =>
    scenario(
      ...invite(),
      receive(180),
      send(`CANCEL ${ADDRESS} SIP/2.0\n${headers(2, "CANCEL", CALLEE)}`, "until its response"),
      receive(200),
      receive(487),
      acknowledge(2),
    ),

  /** Rings, answers, and ends after the other side's BYE. */
  answerUntilBye: () =>
    scenario(
      receive("INVITE"),
      respond("180 Ringing", TO_WITH_TAG),
      respond("200 OK", TO_WITH_TAG, DESCRIPTION),
      // If it is lost, the BYE can arrive before the next one.
      receive("ACK", 'optional="true"'),
      receive("BYE"),
      respond("200 OK"),
    ),

  /** Refuses a call because the phone is busy. */
  busy: () => scenario(receive("INVITE"), respond("486 Busy Here", TO_WITH_TAG), receive("ACK")),

  /** Rings until the other side cancels. */
  ringUntilCancel: () =>
    scenario(
      receive("INVITE", "", '<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="invite"/>'),
      respond("180 Ringing", TO_WITH_TAG),
      receive("CANCEL"),
      respond("200 OK", TO_WITH_TAG),
      send(
        `SIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n${TO_WITH_TAG}\n[last_Call-ID:]\nCSeq:[$invite]\nContent-Length: 0\n`,
        "until its response",
      ),
      receive("ACK"),
    ),
};

const REGISTRAR = "sip:[remote_ip]:[remote_port]";
const ADDRESS = "sip:[service]@[remote_ip]:[remote_port]";
const CALLEE = `<${ADDRESS}>`;
const CALLER = "<sip:[user]@[remote_ip]:[remote_port]>";
const CONTACT = "Contact: <sip:[user]@[local_ip]:[local_port];transport=[transport]>";
const TO_WITH_TAG = "[last_To:];tag=[pid]-[call_number]";

/** Sound as plain RTP. No media is sent. */
const DESCRIPTION = `v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
`;

function scenario(...steps: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario>\n${steps.join("\n")}\n</scenario>\n`;
}

function send(message: string, repeated?: "until its response"): string {
  // Milliseconds until the first retransmission over UDP. SIPp does not recognize a retransmission of what it received last if its
  // own message after it was lost, so only messages that it repeats can get lost.
  const attributes = repeated ? 'retrans="500"' : 'lost="0"';
  return `<send ${attributes}><![CDATA[\n${message}\n]]></send>`;
}

function receive(message: string | number, attributes = "", action = ""): string {
  const kind = typeof message === "number" ? "response" : "request";
  const content = action && `<action>${action}</action>`;
  return `<recv ${kind}="${message}" ${attributes}>${content}</recv>`;
}

/** The headers of a request. An INVITE, its CANCEL and the ACK of a refusal have the same branch. */
function headers(number: number, method: string, to: string, branch: string | number = number): string {
  return `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-${branch}
From: ${CALLER};tag=[pid]-[call_number]
To: ${to}
Call-ID: [call_id]
CSeq: ${number} ${method}
Max-Forwards: 70
Content-Length: 0
`;
}

function register(number: number, credentials = ""): string {
  const more = [CONTACT, "Expires: 3600", credentials].filter(Boolean).join("\n");
  return `REGISTER ${REGISTRAR} SIP/2.0\n${more}\n${headers(number, "REGISTER", CALLER)}`;
}

/** Sends an INVITE, and sends it again with credentials. */
function invite(): string[] {
  const message = (number: number, credentials = "") =>
    `INVITE ${ADDRESS} SIP/2.0\n${[CONTACT, "Content-Type: application/sdp", credentials].filter(Boolean).join("\n")}\n${headers(
      number,
      "INVITE",
      CALLEE,
    ).replace("Content-Length: 0", "Content-Length: [len]")}\n${DESCRIPTION}`;
  return [
    send(message(1), "until its response"),
    receive(100, 'optional="true"'),
    receive(407, 'auth="true"'),
    acknowledge(1),
    send(message(2, "[authentication]"), "until its response"),
    receive(100, 'optional="true"'),
  ];
}

/** Acknowledges a refusal. */
function acknowledge(number: number): string {
  return send(`ACK ${ADDRESS} SIP/2.0\n${headers(number, "ACK", "").replace("To: ", "[last_To:]")}`);
}

/** Responds to the last request. A response with a description, or a refusal, is repeated until its ACK. */
function respond(status: string, to = "[last_To:]", description = ""): string {
  const body = description
    ? `Content-Type: application/sdp\nContent-Length: [len]\n\n${description}`
    : "Content-Length: 0\n";
  return send(
    `SIP/2.0 ${status}\n[last_Via:]\n[last_From:]\n${to}\n[last_Call-ID:]\n[last_CSeq:]\n${CONTACT}\n${body}`,
    description || status.startsWith("4") ? "until its response" : undefined,
  );
}

import { once } from "node:events";
import { afterAll, beforeAll } from "@jest/globals";
import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession.js";
import type { Socket } from "jssip/lib/Socket.js";
import { WebSocket } from "ws";
import { until } from "../until.js";

/** Stands for a browser's peer connection: makes session descriptions, and has no media. */
class PeerConnection extends EventTarget {
  readonly iceGatheringState = "complete";
  signalingState = "stable";
  localDescription: { sdp: string } | undefined;
  remoteDescription: { sdp: string } | undefined;

  async createOffer(): Promise<{ type: string; sdp: string }> {
    return { type: "offer", sdp: description(["audio", "video"]) };
  }

  async createAnswer(): Promise<{ type: string; sdp: string }> {
    const media = [...(this.remoteDescription?.sdp ?? "").matchAll(/^m=(\w+) (\d+)/gm)];
    return {
      type: "answer",
      sdp: description(
        media.map(([, kind = ""]) => kind),
        media.map(([, , port]) => port !== "0"),
      ),
    };
  }

  async setLocalDescription(local: { sdp: string }): Promise<void> {
    this.localDescription = local;
  }

  async setRemoteDescription(remote: { sdp: string }): Promise<void> {
    this.remoteDescription = remote;
  }

  getSenders(): [] {
    return [];
  }

  close(): void {
    this.signalingState = "closed";
  }
}

// JsSIP is written for browsers.
const browserGlobals = {
  window: globalThis,
  RTCPeerConnection: PeerConnection,
  RTCSessionDescription: class {
    constructor(description: object) {
      Object.assign(this, description);
    }
  },
};
const { setTimeout: startTimer } = globalThis;
beforeAll(() => {
  Object.assign(globalThis, browserGlobals);
  // Transactions of JsSIP end up to 32 seconds after a test. Their timers must not delay the end of the test process.
  globalThis.setTimeout = ((...parameters: Parameters<typeof startTimer>) =>
    startTimer(...parameters).unref()) as typeof startTimer;
});
// Other test files run in the same process.
afterAll(() => {
  globalThis.setTimeout = startTimer;
  for (const name of Object.keys(browserGlobals)) Reflect.deleteProperty(globalThis, name);
});

/** Returns a session description as a browser makes it, bundled, with these media. */
export function description(media: readonly string[], accepted = media.map(() => true)): string {
  const ids = media.map((_, index) => index).filter((index) => accepted[index]);
  return [
    "v=0",
    `o=- ${Math.trunc(Math.random() * 1e9)} 1 IN IP4 127.0.0.1`,
    "s=-",
    "t=0 0",
    ...(ids.length > 0 ? [`a=group:BUNDLE ${ids.join(" ")}`] : []),
    ...media.flatMap((kind, index) => [
      `m=${kind} ${accepted[index] ? 9 : 0} UDP/TLS/RTP/SAVPF 96`,
      "c=IN IP4 127.0.0.1",
      `a=mid:${index}`,
      "a=sendrecv",
      ...(kind === "video" && accepted[index] ? ["a=bundle-only"] : []),
    ]),
    "",
  ].join("\r\n");
}

/** One call on a phone, incoming or outgoing. */
export class PhoneCall {
  state: "ringing" | "talking" | "ended" = "ringing";
  /** Whether the other side has signalled that it rings. */
  isRemoteRinging = false;
  /** Why the call ended: the cause of JsSIP, the status of the response, and the Reason header of the response or of CANCEL. */
  end: { cause: string; status?: number | undefined; reason?: string | undefined } | undefined;
  /** The session descriptions of the other side, oldest first. */
  readonly received: string[] = [];
  /** The digits that the other side has sent with INFO. */
  readonly digits: string[] = [];

  constructor(readonly session: RTCSession) {
    session.on("progress", ({ originator }: { originator: string }) => {
      if (originator === "remote") this.isRemoteRinging = true;
    });
    session.on("confirmed", () => {
      this.state = "talking";
    });
    session.on("newDTMF", ({ originator, dtmf }: { originator: string; dtmf: { tone: string } }) => {
      if (originator === "remote") this.digits.push(dtmf.tone);
    });
    session.on("sdp", ({ originator, sdp }: { originator: string; sdp: string }) => {
      if (originator === "remote") this.received.push(sdp);
    });
    const onEnd = ({ cause, message }: { cause: string; message?: unknown }) => {
      const { status_code, getHeader } = (message ?? {}) as {
        status_code?: number;
        getHeader?: (name: string) => string | undefined;
      };
      this.state = "ended";
      this.end = { cause, status: status_code, reason: getHeader?.call(message, "reason") };
    };
    session.on("ended", onEnd as never);
    session.on("failed", onEnd as never);
  }

  /** The user part and the display name of the caller's address. */
  get from(): string[] {
    const { uri, display_name } = this.session.remote_identity;
    return [uri.user, display_name];
  }

  answer(): void {
    this.session.answer({ mediaConstraints: { audio: false, video: false } });
  }

  /** Declines a ringing call with a status, or hangs up. */
  hangUp(status?: number): void {
    this.session.terminate(status === undefined ? {} : { status_code: status });
  }

  async untilRinging(): Promise<void> {
    await until(() => this.isRemoteRinging || this.state === "ended");
  }

  async untilTalking(): Promise<void> {
    await until(() => this.state !== "ringing");
    if (this.end) throw new Error(`The call ended: ${JSON.stringify(this.end)}.`);
  }

  async untilEnded() {
    await until(() => this.state === "ended");
    return this.end;
  }
}

const phones: JsSipPhone[] = [];

/** A softphone of JsSIP, as in a browser, with a WebSocket of its own. */
export class JsSipPhone {
  /** Incoming calls, oldest first. */
  readonly calls: PhoneCall[] = [];
  /** Whether incoming calls are declined with 486 before the phone rings. */
  isBusy = false;

  private constructor(
    readonly ua: JsSIP.UA,
    readonly webSocket: () => WebSocket | undefined,
  ) {}

  /** Connects and registers a phone. Without a password, only connects it: it can call, but not be called. */
  static async start(origin: string, username: string, password?: string): Promise<JsSipPhone> {
    const url = origin.replace("http", "ws");
    const { socket, current } = socketTo(url);
    const ua = new JsSIP.UA({
      uri: `sip:${encodeURIComponent(username)}@${new URL(url).host}`,
      authorization_user: username,
      sockets: [socket],
      register: password !== undefined,
      session_timers: false,
      ...(password !== undefined && { password }),
    });
    const phone = new JsSipPhone(ua, current);
    phones.push(phone);
    ua.on("newRTCSession", ({ originator, session }: { originator: string; session: RTCSession }) => {
      if (originator !== "remote") return;
      phone.calls.push(new PhoneCall(session));
      if (phone.isBusy) session.terminate({ status_code: 486 });
    });
    const ready = new Promise<void>((resolve, reject) => {
      ua.on(password === undefined ? "connected" : "registered", () => resolve());
      ua.on("registrationFailed", ({ cause }: { cause?: string }) => reject(new Error(cause)));
    });
    ua.start();
    await ready;
    return phone;
  }

  /** Calls a number or an endpoint. */
  dial(target: number | string, options: { fromUserName?: string } = {}): PhoneCall {
    let call: PhoneCall | undefined;
    this.ua.once("newRTCSession", ({ session }: { session: RTCSession }) => {
      call = new PhoneCall(session);
    });
    this.ua.call(String(target), { ...options, mediaConstraints: { audio: false, video: false } });
    if (!call) throw new Error("JsSIP has created no call.");
    return call;
  }

  /** Waits for the incoming call with this index. */
  async ringing(index = 0): Promise<PhoneCall> {
    await until(() => this.calls.length > index);
    return this.calls[index] as PhoneCall;
  }

  /** Breaks the connection, and does not connect again. */
  async breakConnection(): Promise<void> {
    const webSocket = this.webSocket();
    const closed = webSocket && once(webSocket, "close");
    this.ua.stop = () => {};
    webSocket?.terminate();
    await closed;
  }
}

/** Stops all phones. */
export function stopPhones(): void {
  for (const phone of phones.splice(0)) {
    phone.ua.stop();
    phone.webSocket()?.terminate();
  }
}

function socketTo(url: string): { socket: Socket; current: () => WebSocket | undefined } {
  let webSocket: WebSocket | undefined;
  let isBroken = false;
  const socket = {
    via_transport: "WS",
    url,
    sip_uri: `sip:${new URL(url).host};transport=ws`,
    connect() {
      if (isBroken) return;
      const opened = new WebSocket(url, "sip");
      webSocket = opened;
      opened.on("open", () => this.onconnect());
      opened.on("message", (data) => this.ondata(String(data)));
      opened.on("error", () => {});
      opened.on("close", () => {
        isBroken = true;
        this.ondisconnect(true);
      });
    },
    disconnect() {
      webSocket?.close();
    },
    send(message: string) {
      webSocket?.send(message);
      return true;
    },
    isConnected: () => webSocket?.readyState === WebSocket.OPEN,
    isConnecting: () => webSocket?.readyState === WebSocket.CONNECTING,
    onconnect() {},
    ondisconnect(_error: boolean) {},
    ondata(_message: string) {},
  };
  return { socket: socket as unknown as Socket, current: () => webSocket };
}

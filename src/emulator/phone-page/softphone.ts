import { UA, URI } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession.js";
import type { IncomingResponse } from "jssip/lib/SIPMessage.js";
import type { RTCSessionEvent } from "jssip/lib/UA.js";
import { BrowserCall, PEER_CONNECTION } from "./browser-call.js";
import { explainTooManyLogins, NO_LONGER_ACCEPTED, secondsToWait } from "./explain-end.js";
import { LoggedSocket, type SipListener } from "./logged-socket.js";
import { closeMedia, openMedia } from "./media.js";

/** `connecting`: logging in, or connecting again after the connection was lost. */
export type LoginState = "logged-out" | "connecting" | "registered";

/** Receives the changes of the phone, to show them on the page. */
interface SoftphoneListener {
  /** @param problem why the phone is logged out; empty if a person has logged out */
  loginChanged(state: LoginState, problem: string): void;
  /** Called after each change of the current call. The phase of a call that is over is `ended`. */
  callChanged(call: BrowserCall): void;
  /** A sentence about something that happened. */
  report(text: string): void;
  readonly sipMessage: SipListener;
}

/** Seconds until a registration has to be renewed. */
const REGISTRATION_SECONDS = 300;
/** Longest time in seconds between two attempts to connect again. */
const MAX_RETRY_SECONDS = 4;

/** Seconds to wait before a refused renewal is repeated, if the emulator does not say it. */
const DEFAULT_RETRY_SECONDS = 5;

const { toString: encodeAgain } = URI.prototype;
// JsSIP decodes the user of a URI when it parses it, and decodes it again here: it throws if the user contains a percent sign.
Object.assign(URI.prototype, {
  toString(this: URI) {
    const encoded = this.clone();
    encoded.user &&= encodeURIComponent(encoded.user);
    return encodeAgain.call(encoded);
  },
});

/** A SIP phone of one endpoint: it logs in at the emulator, and has at most one call at a time. */
export class Softphone {
  readonly #listener: SoftphoneListener;
  #agent: UA | undefined;
  #call: BrowserCall | undefined;
  /** Why the phone logs out at the end of the call. */
  #problemAfterCall = "";

  constructor(listener: SoftphoneListener) {
    this.#listener = listener;
  }

  /** Logs in at the emulator that served the page. The result is reported to the listener. Throws if JsSIP does not support the username. */
  logIn(username: string, password: string): void {
    const socket = new LoggedSocket(`${location.origin.replace(/^http/, "ws")}/`, this.#listener.sipMessage);
    const agent = new UA({
      sockets: [socket],
      uri: addressOf(username),
      authorization_user: username,
      password,
      register_expires: REGISTRATION_SECONDS,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: MAX_RETRY_SECONDS,
    });
    this.#agent = agent;
    this.#listen(agent);
    this.#listener.loginChanged("connecting", "");
    agent.start();
  }

  /** Ends the call and the registration. */
  logOut(problem = ""): void {
    this.#problemAfterCall = "";
    this.#call?.hangUp();
    const agent = this.#agent;
    this.#agent = undefined;
    agent?.stop();
    this.#listener.loginChanged("logged-out", problem);
  }

  /** Calls a username or a number, with the camera if `withVideo`. Throws a `MediaError` if the microphone cannot be used, or an error if the target is empty. */
  async dial(target: string, withVideo: boolean): Promise<void> {
    const peer = normalizeTarget(target);
    if (!peer) throw new Error("Enter the username of an endpoint, such as bob, or a phone number.");
    const stream = await openMedia(withVideo, this.#listener.report);
    // While the browser asked for the microphone, another call may have come in, or the person may have logged out.
    if (!this.#agent || this.#call) return closeMedia(stream);
    this.#listener.report(`You call ${peer}.`);
    // The event newRTCSession comes before `call` returns.
    try {
      const session = this.#agent.call(addressOf(peer), { mediaStream: stream, pcConfig: PEER_CONNECTION });
      const call = this.#begin(session, peer);
      call.localStream = stream;
      this.#changed(call);
    } catch (error) {
      closeMedia(stream);
      throw error;
    }
  }

  #listen(agent: UA): void {
    let wasRegistered = false;
    const { loginChanged, report } = this.#listener;
    const isCurrent = () => agent === this.#agent;
    agent.on("registered", () => {
      report(wasRegistered ? "You are logged in again." : "You are logged in.");
      wasRegistered = true;
      if (!isCurrent()) return;
      this.#problemAfterCall = "";
      loginChanged("registered", "");
    });
    agent.on("registrationFailed", ({ response, cause }) => {
      // Without a response, the connection is lost, and JsSIP connects again.
      if (!isCurrent() || !response) return;
      const seconds = secondsToWait(response);
      const { status_code: status } = response;
      if (wasRegistered && (status === 503 || (status === 403 && seconds))) {
        loginChanged("connecting", "");
        setTimeout(() => isCurrent() && agent.register(), 1000 * (seconds ?? DEFAULT_RETRY_SECONDS));
        return;
      }
      const problem = explainLogin(response, cause, wasRegistered);
      // A call in progress does not need the registration.
      if (this.#call) this.#problemAfterCall = problem;
      else this.logOut(problem);
    });
    agent.on("disconnected", () => {
      if (!isCurrent()) return;
      if (!wasRegistered)
        return this.logOut(
          `Cannot connect to the emulator at ${location.host}: it is not running, or EMULATOR_ALLOWED_ORIGINS does not contain ${location.origin}.`,
        );
      if (agent.isRegistered()) report("The connection to the emulator was lost. The phone connects again.");
      this.#call?.hangUp();
      if (isCurrent()) loginChanged("connecting", "");
    });
    agent.on("newRTCSession", (event: RTCSessionEvent) => {
      if (event.originator !== "remote") return;
      const { session, request } = event;
      const peer = session.remote_identity.display_name || session.remote_identity.uri.user;
      if (this.#call) {
        report(`${peer} called while you were in a call, and got the response that you are busy.`);
        return session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      }
      this.#changed(this.#begin(session, peer, request.body ?? ""));
      report(`${peer} calls.`);
    });
  }

  #begin(session: RTCSession, peer: string, offer?: string): BrowserCall {
    const call = new BrowserCall(session, peer, this.#listener.report, () => this.#changed(call), offer);
    this.#call = call;
    return call;
  }

  #changed(call: BrowserCall): void {
    if (call.phase === "ended" && call === this.#call) this.#call = undefined;
    this.#listener.callChanged(call);
    if (call.isLoginRejected) this.logOut(NO_LONGER_ACCEPTED);
    else if (!this.#call && this.#problemAfterCall) this.logOut(this.#problemAfterCall);
  }
}

function addressOf(user: string): string {
  return new URI("sip", user, location.hostname).toString();
}

/** Returns the user part of a SIP URI, and a number without plus, spaces, brackets and hyphens. */
function normalizeTarget(text: string): string {
  const user = text
    .trim()
    .replace(/^sips?:/i, "")
    .replace(/@.*$/, "");
  const digits = user.replace(/[\s()+-]/g, "");
  return /^\d+$/.test(digits) ? digits : user;
}

function explainLogin(response: IncomingResponse, cause: string | undefined, wasRegistered: boolean): string {
  const { status_code: status, reason_phrase: reason } = response;
  if (status === 401 || status === 407) {
    return wasRegistered ? NO_LONGER_ACCEPTED : "The username or the password is wrong.";
  }
  const seconds = secondsToWait(response);
  if (status === 403 && seconds) return explainTooManyLogins(seconds);
  return `The emulator refuses the login: ${status} ${reason || cause}.`;
}

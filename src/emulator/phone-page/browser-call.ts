import type { RTCSession } from "jssip/lib/RTCSession.js";
import { explainHangUp, explainMissed, explainUnanswered, isLoginRejected } from "./explain-end.js";
import { closeMedia, MediaError, openMedia } from "./media.js";

/** `incoming`: this phone rings. `calling`: the other phone does not ring yet. `talking`: sound and picture may flow. */
type CallPhase = "incoming" | "calling" | "ringing" | "connecting" | "talking" | "ended";

/** Without a STUN server, browsers contact no other host to find their addresses. */
export const PEER_CONNECTION = { iceServers: [] };

/** A call of this phone. */
export class BrowserCall {
  readonly #session: RTCSession;
  readonly #report: (text: string) => void;
  readonly #changed: () => void;
  /** Name or number of the other side. */
  readonly peer: string;
  /** Whether the caller's offer has video. Always false for calls from this phone. */
  readonly offersVideo: boolean;
  readonly remoteStream = new MediaStream();
  phase: CallPhase;
  localStream: MediaStream | undefined;
  /** Moment at which the conversation began, by `performance.now()`. */
  talkingSince = 0;
  /** Why a call from this phone was not answered. Empty if the person at this phone has ended it. */
  problem = "";
  /** Whether the emulator rejected the call because of this phone's endpoint or its password. */
  isLoginRejected = false;
  isMuted = false;
  isCameraOff = false;

  /**
   * @param changed called after each change of the call
   * @param offer session description of the caller; undefined for a call from this phone
   */
  constructor(
    session: RTCSession,
    peer: string,
    report: (text: string) => void,
    changed: () => void,
    offer?: string,
  ) {
    this.#session = session;
    this.#report = report;
    this.#changed = changed;
    this.peer = peer;
    this.phase = offer === undefined ? "calling" : "incoming";
    this.offersVideo = hasVideo(offer ?? "");
    this.#listen();
  }

  /** Answers the call, with the camera if `withVideo`. Throws a `MediaError` if the microphone cannot be used; the phone continues to ring. */
  async answer(withVideo: boolean): Promise<void> {
    this.#enter("connecting");
    let stream: MediaStream | undefined;
    try {
      stream = await openMedia(withVideo, this.#report);
      // The caller may have given up while the browser asked for the microphone.
      if (this.#session.isEnded()) return closeMedia(stream);
      this.localStream = stream;
      this.#session.answer({ mediaStream: stream, pcConfig: PEER_CONNECTION });
    } catch (error) {
      closeMedia(stream);
      if (error instanceof MediaError && !this.#session.isEnded()) this.#enter("incoming");
      throw error;
    }
  }

  /** Declines an incoming call, cancels a call that is not answered yet, or ends the conversation. */
  hangUp(): void {
    if (this.#session.isEnded()) return;
    // Without a status, JsSIP responds with 480: not available.
    const isWaiting = this.#session.direction === "incoming" && this.#session.isInProgress();
    this.#session.terminate(isWaiting ? { status_code: 603, reason_phrase: "Decline" } : {});
  }

  toggleMute(): void {
    this.isMuted = !this.isMuted;
    if (this.isMuted) this.#session.mute({ audio: true });
    else this.#session.unmute({ audio: true });
    this.#changed();
  }

  toggleCamera(): void {
    this.isCameraOff = !this.isCameraOff;
    if (this.isCameraOff) this.#session.mute({ video: true });
    else this.#session.unmute({ video: true });
    this.#changed();
  }

  #listen(): void {
    const session = this.#session;
    const isIncoming = this.phase === "incoming";
    // JsSIP has created the connection of a call from this phone before it reports the call.
    if (session.connection) this.#addTracks(session.connection);
    session.on("peerconnection", ({ peerconnection }) => this.#addTracks(peerconnection));
    session.on("sdp", ({ originator, type, sdp }) => {
      if (originator === "remote" && type === "answer" && !hasVideo(sdp)) this.#closeCamera();
      if (originator === "local" && !sdp.includes("a=candidate:")) {
        this.#report(
          "No sound: this browser has found no network address. Connect the machine to a network.",
        );
      }
    });
    session.on("progress", () => {
      if (isIncoming) return;
      this.#report(`The phone of ${this.peer} rings.`);
      this.#enter("ringing");
    });
    session.on("accepted", () => this.#enter("connecting"));
    session.on("confirmed", () => {
      this.talkingSince = performance.now();
      this.#report(isIncoming ? `You answered the call from ${this.peer}.` : `${this.peer} answered.`);
      this.#enter("talking");
    });
    session.on("failed", (event) => {
      this.isLoginRejected = !isIncoming && isLoginRejected(event);
      const reason = isIncoming ? explainMissed(this.peer, event) : explainUnanswered(this.peer, event);
      // The event of the logout says it.
      if (!this.isLoginRejected) this.#report(reason);
      if (!isIncoming && event.cause !== "Canceled") this.problem = reason;
      this.#end();
    });
    session.on("ended", (event) => {
      this.#report(explainHangUp(this.peer, event));
      this.#end();
    });
  }

  #addTracks(connection: RTCPeerConnection): void {
    connection.addEventListener("track", ({ track }) => {
      this.remoteStream.addTrack(track);
      this.#changed();
    });
  }

  /** Turns the camera off when the other side does not accept its picture. */
  #closeCamera(): void {
    for (const track of this.localStream?.getVideoTracks() ?? []) {
      track.stop();
      this.localStream?.removeTrack(track);
      this.#report(`Your camera is off: the call with ${this.peer} has sound only.`);
    }
    this.#changed();
  }

  #enter(phase: CallPhase): void {
    this.phase = phase;
    this.#changed();
  }

  #end(): void {
    closeMedia(this.localStream);
    this.#enter("ended");
  }
}

function hasVideo(description: string): boolean {
  return /^m=video (?!0 )/m.test(description);
}

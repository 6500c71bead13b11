import { WebSocketInterface } from "jssip";

/** Receives each SIP message, without digests, in the order in which they are sent and received. */
export type SipListener = (direction: "sent" | "received", message: string) => void;

/** The WebSocket to the emulator. It passes each SIP message to a listener. */
export class LoggedSocket extends WebSocketInterface {
  readonly #listener: SipListener;

  constructor(url: string, listener: SipListener) {
    super(url);
    this.#listener = listener;
    let handle: (data: string | ArrayBuffer) => void = () => {};
    // JsSIP sets this property to the function that parses a message.
    Object.defineProperty(this, "ondata", {
      get: () => handle,
      set: (parse: typeof handle) => {
        handle = (data) => {
          this.#log("received", typeof data === "string" ? data : new TextDecoder().decode(data));
          parse(data);
        };
      },
    });
  }

  override send(message: string): boolean {
    this.#log("sent", message);
    return super.send(message);
  }

  #log(direction: "sent" | "received", message: string): void {
    // Keep-alive messages are blank.
    if (message.trim()) this.#listener(direction, hideDigests(message));
  }
}

/** Hides the digests in a SIP message. With a digest, a program can guess the password offline. */
function hideDigests(message: string): string {
  return message.replace(/\b(response\s*=\s*)("[^"]*"|[^\s,]+)/gi, '$1"(hidden)"');
}

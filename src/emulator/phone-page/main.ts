import type { BrowserCall } from "./browser-call.js";
import { explainInsecurePage } from "./media.js";
import { RingTone } from "./ring-tone.js";
import { type LoginState, Softphone } from "./softphone.js";

/** Entries of each log that are kept. */
const MAX_ENTRIES = 200;

const states: Readonly<Record<LoginState, string>> = {
  "logged-out": "Logged out",
  connecting: "Connecting…",
  registered: "Logged in",
};
const phases = {
  incoming: "",
  calling: "Calling…",
  ringing: "Ringing…",
  connecting: "Connecting…",
  talking: "In a call",
  ended: "",
};

const find = <Kind extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as Kind;
const username = find<HTMLInputElement>("username");
const password = find<HTMLInputElement>("password");
const target = find<HTMLInputElement>("target");
const withRingTone = find<HTMLInputElement>("ring-tone");
const remoteVideo = find<HTMLVideoElement>("remote-video");
const ownVideo = find<HTMLVideoElement>("own-video");

const ringTone = new RingTone();
let loginState: LoginState = "logged-out";
let call: BrowserCall | undefined;
let isDialling = false;

const phone = new Softphone({
  loginChanged(state, problem) {
    loginState = state;
    if (problem) addEvent(problem);
    showProblem(problem);
    render();
  },
  callChanged(changed) {
    // A problem on the page has nothing to do with a call that comes in.
    if (!call && changed.phase === "incoming") showProblem("");
    call = changed.phase === "ended" ? undefined : changed;
    if (changed.problem) showProblem(changed.problem);
    render();
  },
  report: addEvent,
  sipMessage: addSipMessage,
});

find("login").addEventListener("submit", (event) => {
  event.preventDefault();
  username.value = username.value.trim();
  if (!find<HTMLFormElement>("login").reportValidity()) return;
  // Before the first login there is no click that would allow sound.
  ringTone.prepare();
  history.replaceState(null, "", `?${new URLSearchParams({ user: username.value })}`);
  void attempt(async () => phone.logIn(username.value, password.value));
});
find("log-out").addEventListener("click", () => phone.logOut());
find("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  isDialling = true;
  render();
  void attempt(() => phone.dial(target.value, event.submitter?.id === "call-video")).then(() => {
    isDialling = false;
    render();
  });
});
find("answer").addEventListener("click", () => void attempt(async () => call?.answer(false)));
find("answer-video").addEventListener("click", () => void attempt(async () => call?.answer(true)));
for (const id of ["decline", "hang-up"]) find(id).addEventListener("click", () => call?.hangUp());
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && call?.phase === "incoming") call.hangUp();
});
find("mute").addEventListener("click", () => call?.toggleMute());
find("camera-off").addEventListener("click", () => call?.toggleCamera());
withRingTone.addEventListener("change", render);
// The size of a picture is known when its first frame has come.
remoteVideo.addEventListener("resize", render);
setInterval(showTimer, 1000);

username.value = new URLSearchParams(location.search).get("user") ?? "";
(username.value ? password : username).focus();
showProblem(explainInsecurePage());
render();

/** Waits for an action, and shows why it failed. */
async function attempt(action: () => Promise<void>): Promise<void> {
  showProblem("");
  try {
    await action();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    addEvent(text);
    showProblem(text);
  }
}

/** Shows the current state. */
function render(): void {
  const isLoggedOut = loginState === "logged-out";
  const isIncoming = call?.phase === "incoming";
  const name = username.value;
  find("registration").textContent = isLoggedOut ? states[loginState] : `${states[loginState]} as ${name}`;
  find("registration").dataset.state = loginState;
  find("log-out").hidden = isLoggedOut;
  find("login").hidden = !isLoggedOut;
  // A password stays in its field only while the person may have to correct it.
  if (loginState === "registered") password.value = "";
  find("dial").hidden = isLoggedOut || call !== undefined;
  for (const id of ["call-audio", "call-video"]) {
    find<HTMLButtonElement>(id).disabled = isDialling || loginState !== "registered";
  }
  find("incoming").hidden = !isIncoming;
  find("call").hidden = !call || isIncoming;
  if (call) renderCall(call);
  showStream(ownVideo, call?.localStream);
  showStream(remoteVideo, call?.remoteStream);
  const title = isLoggedOut ? "Emulator phone" : `${name} – Emulator phone`;
  document.title = isIncoming ? `${call?.peer} calls ${name}` : title;
  const tone = isIncoming ? "incoming" : call?.phase === "ringing" ? "outgoing" : undefined;
  ringTone.play(withRingTone.checked ? tone : undefined);
  keepFocus();
}

function renderCall({ peer, phase, offersVideo, localStream, isMuted, isCameraOff }: BrowserCall): void {
  for (const avatar of document.querySelectorAll(".avatar")) {
    avatar.textContent = [...peer][0]?.toUpperCase() ?? "";
  }
  find("caller").textContent = peer;
  find("incoming-kind").textContent = offersVideo ? "Incoming video call" : "Incoming call";
  find("answer-video").hidden = !offersVideo;
  find("answer-label").textContent = offersVideo ? "Answer without camera" : "Answer";
  find("peer").textContent = peer;
  find("call-state").textContent = phases[phase];
  const hasCamera = localStream !== undefined && localStream.getVideoTracks().length > 0;
  find("mute").ariaPressed = String(isMuted);
  find("camera-off").ariaPressed = String(isCameraOff);
  find("camera-off").hidden = !hasCamera;
  const stage = find("stage").classList;
  stage.toggle("own-picture", hasCamera && !isCameraOff);
  stage.toggle("picture", phase === "talking" && remoteVideo.videoWidth > 0);
  showTimer();
}

function showStream(video: HTMLVideoElement, stream: MediaStream | undefined): void {
  if (video.srcObject !== (stream ?? null)) video.srcObject = stream ?? null;
}

function showTimer(): void {
  const isTalking = call?.phase === "talking";
  const seconds = isTalking ? Math.floor((performance.now() - (call?.talkingSince ?? 0)) / 1000) : 0;
  const minutes = Math.floor(seconds / 60);
  find("timer").textContent = isTalking ? `${minutes}:${String(seconds % 60).padStart(2, "0")}` : "";
}

/** Gives the focus to the part in use when its element is hidden, so that the keyboard continues there. */
function keepFocus(): void {
  const active = document.activeElement;
  // A person who types a name keeps the focus when a call comes in.
  if (active && active !== document.body && active.checkVisibility() && active !== target) return;
  if (active === target && call?.phase !== "incoming" && active.checkVisibility()) return;
  // The panels get the focus, not a button: a key that is pressed by chance must not answer.
  const next = call
    ? find(call.phase === "incoming" ? "incoming" : "call")
    : loginState === "logged-out"
      ? password
      : target;
  next.focus();
}

function showProblem(text: string): void {
  find("problem").textContent = text;
}

function addEvent(text: string): void {
  const entry = document.createElement("li");
  entry.append(now(), text);
  addEntry(find("events"), entry);
}

function addSipMessage(direction: "sent" | "received", message: string): void {
  const entry = document.createElement("li");
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(now(), ` ${direction === "sent" ? "→" : "←"} ${message.split("\r\n", 1)[0]}`);
  const text = document.createElement("pre");
  text.tabIndex = 0;
  text.textContent = message;
  details.append(summary, text);
  entry.append(details);
  addEntry(find("sip-messages"), entry);
  find("sip-count").textContent = `(${find("sip-messages").childElementCount})`;
}

/** Adds an entry to a log, and scrolls to it unless the person reads an older one. */
function addEntry(log: HTMLElement, entry: HTMLElement): void {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 8;
  log.append(entry);
  if (log.childElementCount > MAX_ENTRIES) log.firstElementChild?.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function now(): HTMLTimeElement {
  const time = document.createElement("time");
  const date = new Date();
  time.dateTime = date.toISOString();
  time.textContent = date.toLocaleTimeString("en-GB");
  return time;
}

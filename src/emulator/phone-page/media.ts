/** The microphone cannot be used. The message says why, and what to do. */
export class MediaError extends Error {}

const reasons: Readonly<Record<string, string>> = {
  NotAllowedError:
    "The browser does not allow the microphone. Allow it for this page: click the icon beside the address.",
  NotFoundError: "The browser has found no microphone. Connect one, then try again.",
  NotReadableError: "The microphone is in use by another program. Close that program, then try again.",
};

/**
 * Opens the microphone, and the camera if `wantsVideo`. A camera that cannot be used is reported, and the stream has audio only.
 * Throws a `MediaError` if the microphone cannot be used.
 */
export async function openMedia(wantsVideo: boolean, report: (text: string) => void): Promise<MediaStream> {
  const problem = explainInsecurePage();
  if (problem) throw new MediaError(problem);
  const devices = navigator.mediaDevices;
  if (wantsVideo) {
    try {
      return await devices.getUserMedia({ audio: true, video: { width: { ideal: 640 } } });
    } catch (error) {
      report(`The camera cannot be used (${nameOf(error)}). The call has sound only.`);
    }
  }
  try {
    return await devices.getUserMedia({ audio: true });
  } catch (error) {
    throw new MediaError(reasons[nameOf(error)] ?? `The microphone cannot be used: ${error}`);
  }
}

/** Describes why the browser gives no microphone to this page. Returns an empty text if it gives one. */
export function explainInsecurePage(): string {
  // Undefined in a page that is neither local nor loaded by https.
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices) return "";
  return (
    "This browser gives the microphone only to pages of this machine and of https. " +
    `Open http://127.0.0.1:${location.port || 80}${location.pathname} on the machine of the emulator.`
  );
}

/** Turns the microphone and the camera off. */
export function closeMedia(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function nameOf(error: unknown): string {
  return error instanceof DOMException ? error.name : String(error);
}

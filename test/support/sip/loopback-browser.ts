import type { Browser, BrowserContext, Page } from "playwright-core";
import { CHROMIUM, startBrowserBy } from "../browser.js";
import type { LoopbackNetwork } from "./loopback-network.js";

/** Media that a page has received in all its calls. */
export interface ReceivedMedia {
  readonly audioBytes: number;
  readonly framesDecoded: number;
}

/** Starts Chromium in a network, with a made-up microphone and camera. */
export function startLoopbackBrowser(network: LoopbackNetwork): Promise<Browser> {
  return startBrowserBy(
    network.script(CHROMIUM),
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
  );
}

/** Keeps the connections of a page, so that their statistics can be read. */
const KEEP_CONNECTIONS = `
  window.keptConnections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super(configuration);
      window.keptConnections.push(this);
    }
  };
`;

const READ_STATISTICS = `(async () => {
  const reports = await Promise.all(window.keptConnections.map((connection) => connection.getStats()));
  const streams = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === "inbound-rtp");
  const sum = (kind, key) =>
    streams.filter((stream) => stream.kind === kind).reduce((total, stream) => total + (stream[key] ?? 0), 0);
  return { audioBytes: sum("audio", "bytesReceived"), framesDecoded: sum("video", "framesDecoded") };
})()`;

/** Opens a context whose pages may use microphone and camera, and work with `receivedMedia`. */
export async function openMediaContext(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ permissions: ["microphone", "camera"] });
  context.setDefaultTimeout(240_000);
  await context.addInitScript({ content: KEEP_CONNECTIONS });
  return context;
}

/** Returns what a page has received so far. */
export function receivedMedia(page: Page): Promise<ReceivedMedia> {
  return page.evaluate(READ_STATISTICS);
}

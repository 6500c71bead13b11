import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** Path of the browser. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Whether tests that need a browser can run. Always true when `CI=true`: there they fail without a browser. */
export const hasBrowser = process.env.CI === "true" || existsSync(CHROMIUM);

/** Starts Debian's Chromium, or the one at the path in `CHROMIUM`, headless and with these additional arguments. */
export function startBrowser(...more: string[]): Promise<Browser> {
  return startBrowserBy(CHROMIUM, ...more);
}

/** Starts Chromium by a script that executes it, with the arguments of the script. */
export function startBrowserBy(executablePath: string, ...more: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath,
    // A person with a mouse has scroll bars.
    ignoreDefaultArgs: ["--hide-scrollbars"],
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}

/** Opens a page whose waiting for conditions does not end before the test does, also on a busy machine. */
export async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(240_000);
  return page;
}

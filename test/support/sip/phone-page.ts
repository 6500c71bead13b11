import type { BrowserContext, Page } from "playwright-core";
import { until } from "../until.js";
import { type ReceivedMedia, receivedMedia } from "./loopback-browser.js";

/** Media of about a second. */
const A_SECOND: ReceivedMedia = { audioBytes: 3000, framesDecoded: 10 };

/** The phone page, used as a person does. */
export class PhonePage {
  constructor(readonly page: Page) {}

  /** Opens the page at this address, and logs in the endpoint that the address names. */
  static async logIn(context: BrowserContext, address: string, password: string): Promise<PhonePage> {
    const phone = new PhonePage(await context.newPage());
    await phone.page.goto(address);
    await phone.enter(password);
    await phone.page.getByText("Logged in as").waitFor();
    return phone;
  }

  /** Logs in with this password. */
  async enter(password: string): Promise<void> {
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Log in" }).click();
  }

  async dial(target: string, button: "Call" | "Video call"): Promise<void> {
    await this.page.getByLabel("Name or number").fill(target);
    await this.page.getByRole("button", { name: button, exact: true }).click();
  }

  /** Waits for an incoming call, and returns who calls. */
  async rings(): Promise<string> {
    await this.page.getByRole("alertdialog").waitFor();
    return this.page.locator("#caller").innerText();
  }

  async answer(button: "Answer" | "Answer with video"): Promise<void> {
    await this.page.getByRole("button", { name: button, exact: true }).click();
  }

  async hangUp(): Promise<void> {
    await this.page.getByRole("button", { name: "Hang up" }).click();
  }

  /** Waits until there is no call. */
  async isIdle(): Promise<void> {
    await this.page.getByLabel("Name or number").waitFor();
  }

  /** Waits until about a second more of these media has arrived. */
  async receives(...media: (keyof ReceivedMedia)[]): Promise<void> {
    const before = await receivedMedia(this.page);
    await until(async () => {
      const now = await receivedMedia(this.page);
      return media.every((kind) => now[kind] > before[kind] + A_SECOND[kind]);
    });
  }
}

import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { writePrivateFile } from "./password-file.js";

const KEY = /^[\da-f-]{36}$/;

/**
 * The idempotency key of an import: it makes the gateway return the same password for a SIP endpoint that was created, but whose
 * password did not arrive. The key is random, so that a username that is removed and created again does not get its old password.
 * It is kept beside the password file until the import is complete.
 */
export class ImportKey {
  readonly text: string;
  readonly #path: string | undefined;

  /** @param passwords the path of the password file, if there is one */
  constructor(passwords: string | undefined) {
    this.#path = passwords === undefined ? undefined : `${passwords}.import-key`;
    const kept = this.#read();
    this.text = kept ?? randomUUID();
    if (this.#path !== undefined && kept === undefined) {
      // Complete or absent, also after a crash.
      const unfinished = `${this.#path}.${this.text}`;
      writePrivateFile(unfinished, this.text);
      renameSync(unfinished, this.#path);
    }
  }

  remove(): void {
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }

  #read(): string | undefined {
    try {
      const text = this.#path === undefined ? "" : readFileSync(this.#path, "utf8").trim();
      return KEY.test(text) ? text : undefined;
    } catch {
      return undefined;
    }
  }
}

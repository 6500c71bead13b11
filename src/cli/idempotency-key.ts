import { randomUUID } from "node:crypto";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { writePrivateFile } from "./private-file.js";

const KEY = /^[\da-f-]{36}$/;

/**
 * The idempotency key of a command that generates passwords: it makes the gateway return the same password for a SIP endpoint that
 * was created, but whose password did not arrive. The key is random, so that a username that is removed and created again does
 * not get its old password. It is kept in a file until the command is complete.
 */
export class IdempotencyKey {
  readonly text: string;
  /** Whether an earlier command, which is not complete, has left the key. */
  readonly isKept: boolean;
  readonly #path: string | undefined;

  /** @param path the file of the key; undefined if there is no place for it */
  constructor(path: string | undefined) {
    this.#path = path;
    const kept = this.#read();
    this.isKept = kept !== undefined;
    this.text = kept ?? randomUUID();
  }

  save(): void {
    if (this.#path === undefined || this.isKept) return;
    // Complete or absent, also after a crash.
    const unfinished = `${this.#path}.${this.text}`;
    writePrivateFile(unfinished, this.text);
    renameSync(unfinished, this.#path);
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

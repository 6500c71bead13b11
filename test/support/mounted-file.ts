import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** File in a directory that is laid out as a volume of Kubernetes: each change swaps a symbolic link above the file. */
export class MountedFile {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), "mounted-"));
  readonly #name = "content";
  #version = 0;

  constructor(content: string) {
    this.path = join(this.#directory, this.#name);
    this.replace(content);
    symlinkSync(join("..data", this.#name), this.path);
  }

  replace(content: string): void {
    this.#swap((directory) => writeFileSync(join(directory, this.#name), content));
  }

  /** Replaces the file by a directory. */
  replaceByDirectory(): void {
    this.#swap((directory) => mkdirSync(join(directory, this.#name)));
  }

  /** Removes the file, but not its directory. */
  delete(): void {
    this.#swap(() => {});
  }

  removeDirectory(): void {
    rmSync(this.#directory, { recursive: true });
  }

  #swap(fill: (directory: string) => void): void {
    const version = `..version-${++this.#version}`;
    mkdirSync(join(this.#directory, version));
    fill(join(this.#directory, version));
    symlinkSync(version, join(this.#directory, "..data_tmp"));
    renameSync(join(this.#directory, "..data_tmp"), join(this.#directory, "..data"));
  }
}

import { chmod, cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, startProgram } from "./program.js";

/** User of the programs if the tests run as root, because root may write to every directory. The image has the same user. */
const user = process.getuid?.() === 0 ? { uid: 1000, gid: 1000 } : {};

/** Copy of the files that a deployment needs, in a read-only directory. */
export class DeployedCopy {
  private constructor(readonly directory: string) {}

  static async create(): Promise<DeployedCopy> {
    const directory = await mkdtemp(join(tmpdir(), "deployed-"));
    for (const part of ["dist", "package.json"]) {
      await cp(part, join(directory, part), { recursive: true });
    }
    await chmod(directory, 0o555);
    return new DeployedCopy(directory);
  }

  /** Starts Node.js in the directory with these arguments, with these environment variables and no others. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    return startProgram([process.execPath, ...args], env, { cwd: this.directory, ...user });
  }

  async remove(): Promise<void> {
    await chmod(this.directory, 0o755);
    await rm(this.directory, { recursive: true });
  }
}

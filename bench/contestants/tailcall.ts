import { execFileSync } from "node:child_process";

const packages = ["tailcall", "tailcall-older"] as const;

/** The newest of the installed packages whose binary starts here: builds differ in the C library that they want. */
export function findTailcall(folder: URL): { name: string; file: string } {
  const reasons: string[] = [];
  for (const name of packages) {
    const file = new URL(`node_modules/${name}/bin/tailcall`, folder).pathname;
    try {
      execFileSync(file, ["--version"], { env: { TAILCALL_TRACKER: "false" }, timeout: 5000, stdio: "pipe" });
      return { name, file };
    } catch (error) {
      reasons.push(error instanceof Error ? error.message.trim() : String(error));
    }
  }
  throw new Error(`no Tailcall starts on this machine: ${reasons.at(-1)}`);
}

import { cp, mkdtemp, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const PARTS = [
  "build.js",
  "dev.js",
  "LICENSE",
  "notices",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "src",
  "schema",
  ".env.emulator",
];

/** Copies the files that a build needs into a new directory, and returns its path. */
export async function copyCheckout(): Promise<string> {
  const checkout = await mkdtemp(join(tmpdir(), "checkout-"));
  for (const part of PARTS) await cp(part, join(checkout, part), { recursive: true });
  await symlink(resolve("node_modules"), join(checkout, "node_modules"));
  return checkout;
}

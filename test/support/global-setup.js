import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/** Builds the program, which some tests start, and generates typed documents if there are none. An unchanged build is skipped. */
export default function setUp() {
  run(process.execPath, "build.js");
  if (!existsSync("test/generated")) run("npm", "run", "--silent", "generate");
}

function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed.`);
}

import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { EXIT } from "../../src/cli/cli-error.js";
import { runCommand } from "../support/command-line.js";

const page = readFileSync("docs/provisioning.md", "utf8");
/** The sections about the command line. */
const text = page
  .split(/^## /m)
  .filter((section) => /^(First import|Command line|Hand over)/.test(section))
  .join();

let commands: string[];
/** The help of the program and of its commands. */
let help: string;
beforeAll(async () => {
  const { stdout } = await runCommand(["--help"]);
  const names = [...stdout.matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, name = ""]) => name);
  const pages = await Promise.all(names.map((name) => runCommand([name, "--help"])));
  commands = names;
  help = [stdout, ...pages.map((one) => one.stdout)].join();
});

/** Returns the options that a text names. */
function optionsIn(documented: string): string[] {
  const named = documented.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [];
  // These are options of npm and of the program itself.
  return [...new Set(named)].filter((option) => !["--silent", "--help"].includes(option)).sort();
}

describe("docs/provisioning.md", () => {
  it("has the commands of the command line, in the order of its help", () => {
    expect([...text.matchAll(/^\| `([a-z]+)[ `]/gm)].map(([, name]) => name)).toEqual(commands);
  });

  it("has the options of the command line, and no others", () => {
    expect(optionsIn(text)).toEqual(optionsIn(help));
  });

  it("has the exit codes", () => {
    const codes = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT));
  });
});

import { appendFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { copyCheckout } from "../support/checkout.js";
import { originOf } from "../support/gateway/built-gateway.js";
import { killPrograms, type Program, startProgram } from "../support/program.js";
import { until } from "../support/until.js";

const TYPE = "src/graphql/sip-endpoint/sip-endpoint.type.ts";
const DESCRIPTION = "A SIP endpoint of the PIOPIY account";

let checkout: string;
let dev: Program;
beforeEach(async () => {
  checkout = await copyCheckout();
  dev = startProgram(["npm", "run", "dev"], { ...environment(), PORT: "0" }, { cwd: checkout });
  await originOf(dev);
});
afterEach(async () => {
  dev.child.kill("SIGINT");
  await dev.end;
  await killPrograms();
  await rm(checkout, { recursive: true, force: true });
});

function environment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
}

/** Returns the origin of the gateway that was started last. */
function lastOrigin(): string {
  return [...dev.output.stdout.matchAll(/GraphQL +(\S+)\/graphql\n/g)].at(-1)?.[1] ?? "";
}

/** Returns the description of SipEndpoint in the schema of a gateway, or undefined if no gateway responds. */
async function servedDescription(origin = lastOrigin()): Promise<string | undefined> {
  try {
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" },
      body: JSON.stringify({ query: '{ __type(name: "SipEndpoint") { description } }' }),
    });
    const { data } = (await response.json()) as { data: { __type: { description: string } } };
    return data.__type.description;
  } catch {
    return undefined;
  }
}

const serves = (text: string) => until(async () => (await servedDescription())?.includes(text) === true);

/** Writes the source of SipEndpoint into a file, with another description. */
async function write(text: string, path = TYPE): Promise<void> {
  const source = await readFile(TYPE, "utf8");
  expect(source).toContain(DESCRIPTION);
  await writeFile(join(checkout, path), source.replace(DESCRIPTION, text));
}

describe("npm run dev", () => {
  it("restarts the gateway after each change in src", async () => {
    await serves(DESCRIPTION);
    const first = lastOrigin();
    await write("Version two");
    await serves("Version two");
    expect(await servedDescription(first)).toBeUndefined();

    // Some editors replace the file, others overwrite it.
    await write("Version three", "replacement.ts");
    await rename(join(checkout, "replacement.ts"), join(checkout, TYPE));
    await serves("Version three");
    await write("Version four");
    await serves("Version four");
  });

  it("restarts the gateway after changes in new directories", async () => {
    await mkdir(join(checkout, "src/new"));
    await writeFile(join(checkout, "src/new/text.ts"), 'export const text = "Version two";\n');
    const source = await readFile(TYPE, "utf8");
    const description = source.replace(`"${DESCRIPTION}`, `text + "`);
    await writeFile(join(checkout, TYPE), `import { text } from "../../new/text.js";\n${description}`);
    await serves("Version two");
    await writeFile(join(checkout, "src/new/text.ts"), 'export const text = "Version three";\n');
    await serves("Version three");
  });

  it("prints the error of a build, and leaves the gateway running until the next build succeeds", async () => {
    const origin = lastOrigin();
    await writeFile(join(checkout, TYPE), "import {");
    await until(() => dev.output.stderr.includes("The gateway has not changed."));
    expect(dev.output.stderr).toContain("sip-endpoint.type.ts:1:");
    expect(await servedDescription(origin)).toContain(DESCRIPTION);
    await write("Version two");
    await serves("Version two");
  });

  it("starts a gateway that has failed to start again after the next change", async () => {
    await appendFile(join(checkout, TYPE), 'throw new Error("made up");\n');
    await until(() => dev.output.stderr.includes("It starts again after the next change."));
    expect(dev.output.stderr).toContain("made up");
    await write("Version two");
    await serves("Version two");
  });

  it.each(["SIGINT", "SIGTERM"] as const)("stops the gateway and exits with 0 after %s", async (signal) => {
    const origin = lastOrigin();
    dev.child.kill(signal);
    expect(await dev.end).toBe(0);
    expect(await servedDescription(origin)).toBeUndefined();
  });
});

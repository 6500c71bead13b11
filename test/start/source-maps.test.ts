import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { until } from "../support/until.js";

/** Makes the generation of passwords fail. */
const SABOTAGE = `data:text/javascript,${encodeURIComponent(`
  import crypto from "node:crypto";
  import { syncBuiltinESMExports } from "node:module";
  crypto.randomInt = () => { throw new Error("sabotage"); };
  syncBuiltinESMExports();
`)}`;

let gateway: BuiltGateway | undefined;
afterEach(() => {
  gateway?.child.kill("SIGKILL");
});

describe("The log of the built gateway", () => {
  it.each([
    "1",
    "2",
  ])("names the files of src in the stack of an unexpected error, with WORKERS=%s", async (workers) => {
    gateway = await startBuiltGateway({
      PORT: "0",
      AUTH: "none",
      PIOPIY_URL: "emulator",
      WORKERS: workers,
      NODE_OPTIONS: `--import=${SABOTAGE}`,
    });
    const { origin, output } = gateway;
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"query":"mutation { createSipEndpoint(input: { username: \\"erin\\" }) { password } }"}',
    });
    expect(await response.json()).toMatchObject({
      errors: [{ extensions: { code: "INTERNAL_SERVER_ERROR" } }],
    });
    const entry = () => output.stdout.split("\n").find((line) => line.includes("masked in the response"));
    await until(() => entry() !== undefined);
    const stack: string[] = JSON.parse(entry() ?? "").err.stack;

    const [, file = "", line, column] = stack.flatMap(
      (frame) => /(src\/\S+\.ts):(\d+):(\d+)\)?$/.exec(frame) ?? [],
    );
    const source = readFileSync(file, "utf8").split("\n")[Number(line) - 1];
    expect(source?.slice(Number(column) - 1)).toMatch(/^randomInt\(/);
    // The first frame is that of the injected error.
    const frames = stack.slice(1).join("\n");
    expect(frames).toMatch(/\(src\/graphql\/\S+\.resolver\.ts:\d+:\d+\)/);
    expect(frames).toMatch(/\(node_modules\/@apollo\/server\/\S+\.js:\d+:\d+\)/);
    expect(frames).not.toContain("file:");
  });
});

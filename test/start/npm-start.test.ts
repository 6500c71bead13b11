import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "@jest/globals";

const responses = (address: string) =>
  fetch(`${address}/health/live`).then(
    ({ ok }) => ok,
    () => false,
  );

it("npm start leaves no process behind after SIGTERM", async () => {
  const npm = spawn("npm", ["start"], { env: { ...process.env, PORT: "0" } });
  let output = "";
  for await (const chunk of npm.stdout) {
    output += chunk;
    if (output.includes("AUTH=none")) break;
  }
  const address = /GraphQL +(\S+)\/graphql/.exec(output)?.[1] ?? "";
  expect(await responses(address)).toBe(true);
  npm.kill("SIGTERM");
  await once(npm, "exit");
  while (await responses(address)) await new Promise(setImmediate);
});

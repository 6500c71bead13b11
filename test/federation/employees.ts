import { spawn } from "node:child_process";
import { once } from "node:events";

/** Starts the employee directory, the example of another subgraph, on a free port. */
export async function startEmployees(): Promise<{ readonly url: string; close(): void }> {
  const child = spawn(process.execPath, ["test/support/employees/server.js"], {
    env: { ...process.env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  return { url: String(line).trim(), close: () => child.kill() };
}

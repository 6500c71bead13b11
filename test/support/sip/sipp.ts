import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../program.js";
import type { LoopbackNetwork } from "./loopback-network.js";

const SIPP = "/usr/bin/sipp";

/** Whether tests that need SIPp can run. Always true when `CI=true`: there they fail without SIPp. */
export const hasSipp = process.env.CI === "true" || existsSync(SIPP);

/** What SIPp does as a phone. */
export interface SippRun {
  /** The XML of a scenario. */
  readonly scenario: string;
  readonly transport?: "udp" | "tcp";
  /** Port of the phone, on 127.0.0.1. */
  readonly port: number;
  readonly username: string;
  readonly password: string;
  /** The number or username that is called. */
  readonly called?: string;
  /** How often the scenario is run, all at the same time. */
  readonly times?: number;
  /** Percentage of sent and of received messages that get lost. */
  readonly lost?: number;
}

/** Runs SIPp in the network against the SBC at this port. Throws an error with SIPp's output when a scenario fails. */
export async function runSipp(network: LoopbackNetwork, sbcPort: number, run: SippRun): Promise<void> {
  const { transport = "udp", port, username, password, called = "", times = 1, lost = 0 } = run;
  const directory = mkdtempSync(join(tmpdir(), "sipp-"));
  const file = join(directory, "scenario.xml");
  writeFileSync(file, run.scenario);
  const errors = join(directory, "errors");
  const options = [
    `-sf ${file} -t ${transport === "udp" ? "u1" : "t1"} -i 127.0.0.1 -p ${port} -m ${times} -l ${times} -r 1000`,
    // By default, ports of media begin at 6000 for each process.
    `-mi 127.0.0.1 -mp ${10_000 + port} -au ${username} -ap ${password} -key user ${username} -s ${called || username}`,
    `-lost ${lost} -max_retrans 12 -nostdin -timeout 200s -timeout_error`,
    `-trace_err -error_file ${errors}`,
  ];
  const command = [SIPP, ...options.join(" ").split(" "), `127.0.0.1:${sbcPort}`];
  const { end, output } = startProgram(network.inside(command), { TERM: "dumb" }, { cwd: directory });
  try {
    if ((await end) === 0) return;
    const unexpected = existsSync(errors) ? readFileSync(errors, "utf8") : "";
    throw new Error(`SIPp failed:\n${unexpected}\n${output.stderr}\n${output.stdout}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

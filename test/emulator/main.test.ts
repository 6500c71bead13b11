import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { killPrograms, type Program, startProgram } from "../support/program.js";
import { until } from "../support/until.js";

afterEach(killPrograms);

/** Starts the built emulator with only these variables. */
function run(env: Record<string, string>): Program {
  return startProgram([process.execPath, join("dist", "emulator", "main.js")], env);
}

async function addressOf({ output }: Program): Promise<string> {
  await until(() => output.stdout.includes("/_emulator/"));
  return /address +(\S+)/.exec(output.stdout)?.[1] ?? "";
}

describe("npm run emulator", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("responds, and exits with 0 on %s", async (signal) => {
    const program = run({ EMULATOR_PORT: "0" });
    const address = await addressOf(program);
    const response = await fetch(`${address}get_sip`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"appid":2222223,"secret":"emulator-secret","username":"alice"}',
    });
    expect(await response.json()).toMatchObject({ code: "cmi-200", username: "alice" });
    program.child.kill(signal);
    expect(await program.end).toBe(0);
    expect(program.output.stderr).toBe("");
  });

  it("exits without an error message while many requests hang", async () => {
    const program = run({ EMULATOR_PORT: "0" });
    const address = await addressOf(program);
    const origin = new URL(address).origin;
    await fetch(`${origin}/_emulator/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"kind":"hang","times":20}',
    });
    const hanging = Array.from({ length: 20 }, () =>
      fetch(`${address}get_sip`, { method: "POST" }).catch(() => "cut"),
    );
    await until(async () => {
      const log = await fetch(`${origin}/_emulator/calls`);
      return JSON.parse(await log.text()).length === 20;
    });
    program.child.kill("SIGTERM");
    expect(await program.end).toBe(0);
    expect(new Set(await Promise.all(hanging))).toEqual(new Set(["cut"]));
    expect(program.output.stderr).toBe("");
  });

  it("ends a placed call whose client disconnects while the SBC is loaded", async () => {
    const program = run({ EMULATOR_PORT: "0" });
    const { origin, hostname, port } = new URL(await addressOf(program));
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const answerUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const body = JSON.stringify({ to: 914471000000, from: 919999900000, answerUrl, real: true });
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /_emulator/call HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    socket.destroySoon();
    let call: { state: string; timeline: readonly object[] } | undefined;
    await until(async () => {
      [call] = await (await fetch(`${origin}/_emulator/live-calls`)).json();
      return call?.state === "ended";
    });
    expect(call?.timeline).toMatchObject([{ event: "ends", reason: "caller hung up" }]);
    silent.close();
  });

  it("prints that it is an emulator, its address and its account", async () => {
    const program = run({ EMULATOR_PORT: "0", EMULATOR_APP_ID: "7654321" });
    await addressOf(program);
    expect(program.output.stdout).toMatch(/an emulator of TeleCMI PIOPIY's SIP endpoint API, not PIOPIY/);
    expect(program.output.stdout).toMatch(/app id +7654321/);
    expect(program.output.stdout).toMatch(/secret +emulator-secret/);
    expect(program.output.stdout).toMatch(/phone page +http:\/\/127\.0\.0\.1:\d+\/phone\n/);
    expect(program.output.stdout).toMatch(
      /control routes +http:\/\/127\.0\.0\.1:\d+\/_emulator\/ .*POST call, GET phones, GET live-calls, GET and POST numbers\n/,
    );
  });

  it("prints the name of EMULATOR_SECRET instead of its value", async () => {
    const program = run({ EMULATOR_PORT: "0", EMULATOR_SECRET: "hush" });
    await addressOf(program);
    expect(program.output.stdout).toContain("EMULATOR_SECRET");
    expect(program.output.stdout).not.toContain("hush");
  });

  it("reports every problem of its settings and exits with 1", async () => {
    const program = run({ EMULATOR_PORT: "x", EMULATOR_ERRORS: "y", EMULATOR_SECRET: "hush" });
    expect(await program.end).toBe(1);
    expect(program.output.stdout).toBe("");
    expect(program.output.stderr).toBe(
      "The emulator's settings are invalid:\n" +
        '  - EMULATOR_PORT must be a whole number from 0 to 65535 (got "x").\n' +
        '  - EMULATOR_ERRORS must be body or status (got "y").\n',
    );
  });

  it("reports in one line that its port is in use, and exits with 1", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const program = run({ EMULATOR_PORT: String(port) });
    expect(await program.end).toBe(1);
    expect(program.output.stderr).toMatch(
      new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use\\. .*EMULATOR_PORT.*\\n$`),
    );
    other.close();
  });
});

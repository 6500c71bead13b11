import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { originOf } from "../support/gateway/built-gateway.js";
import { killPrograms, type Program, startProgram } from "../support/program.js";
import { closePhones, RawPhone } from "../support/sip/raw-phone.js";
import { until } from "../support/until.js";
import { type BrokenUpstream, send, startBrokenUpstream } from "../support/upstream/broken-upstream.js";

let upstream: BrokenUpstream;
beforeAll(async () => {
  upstream = await startBrokenUpstream();
});
afterEach(async () => {
  closePhones();
  await killPrograms();
});
afterAll(() => upstream.close());

const emulated = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator" };
const real = () => ({
  PORT: "0",
  AUTH: "none",
  PIOPIY_URL: upstream.url,
  PIOPIY_APP_ID: "1",
  PIOPIY_SECRET: "hush",
});

/** Starts the built gateway with these environment variables and no others. */
function run(env: Record<string, string>, ...options: string[]): Program {
  return startProgram([process.execPath, ...options, join("dist", "main.js")], env);
}

/** Waits until a gateway has printed all lines of its start, and returns its origin. */
async function addressOf(program: Program): Promise<string> {
  const origin = await originOf(program);
  await until(() => program.output.stdout.includes("AUTH=none"));
  return origin;
}

async function execute(address: string, query: string): Promise<unknown> {
  const response = await fetch(`${address}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  return response.json();
}

const alice = '{ sipEndpoint(username: "alice") { username } }';
const remove = 'mutation { removeSipEndpoint(input: { username: "alice" }) { username } }';
const found = { data: { sipEndpoint: { username: "alice" } } };

describe("node dist/main.js", () => {
  it.each([
    "SIGTERM",
    "SIGINT",
  ] as const)("responds, and exits with 0 and without warnings on %s", async (signal) => {
    const program = run(emulated);
    const address = await addressOf(program);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    expect(await execute(address, alice)).toMatchObject(found);
    program.child.kill(signal);
    expect(await program.end).toBe(0);
    expect(program.output.stderr).toBe("");
  });

  it("starts with variables that end with CR, as from a file with CRLF line ends", async () => {
    const program = run(
      Object.fromEntries(Object.entries(emulated).map(([name, value]) => [name, `${value}\r`])),
    );
    const address = await addressOf(program);
    expect(await execute(address, alice)).toMatchObject(found);
  });

  it("prints that it uses the emulator and that AUTH=none lets everyone in", async () => {
    const program = run(emulated);
    await addressOf(program);
    expect(program.output.stdout).toMatch(
      /PIOPIY emulator at http:\S+, not to PIOPIY\. Calls ring only phones that are/,
    );
    expect(program.output.stdout).toMatch(/AUTH=none: everyone who can reach this address/);
  });

  it.each([
    "1",
    "2",
  ])("prints the addresses of SIP and of the phone page, and links the page, with WORKERS=%s", async (WORKERS) => {
    const program = run({ ...emulated, WORKERS, EMULATOR_SIP_PORT: "0" });
    const address = await addressOf(program);
    const [, phonePage = ""] =
      /(?:Phone page +|"phonePage":")(http:\/\/[^\s"]+)/.exec(program.output.stdout) ?? [];
    expect(program.output.stdout).toMatch(/"sip":"127\.0\.0\.1:[1-9]\d*"/);
    expect((await fetch(phonePage)).status).toBe(200);
    const landingPage = await fetch(address, { headers: { accept: "text/html" } });
    expect(await landingPage.text()).toContain(`<a href="${phonePage}">`);
    expect(await (await fetch(address)).json()).toMatchObject({ phonePage });
  });

  it("exits with 0 after a caller has disconnected while a phone rang", async () => {
    const program = run(emulated);
    await addressOf(program);
    const [, origin = ""] = /"phonePage":"(http:\/\/[^/]+)/.exec(program.output.stdout) ?? [];
    const line = { transport: "ws", address: origin.replace("http://", "") } as const;
    const [phone, caller] = await Promise.all([RawPhone.connect(line), RawPhone.connect(line)]);
    expect((await phone.register("alice", "made-up-Lantern-27")).status).toBe(200);
    const invite = caller.request("INVITE", "sip:alice@piopiy.example", {
      From: "<sip:919999900000@piopiy.example>;tag=made-up",
      Contact: `<${caller.contact("919999900000")}>`,
    });
    caller.sendRaw(invite);
    await phone.sees(({ method }) => method === "INVITE");
    caller.close();
    await until(async () => {
      const [call] = await (await fetch(`${origin}/_emulator/live-calls`)).json();
      return call.state === "ended";
    });
    program.child.kill("SIGTERM");
    expect(await program.end).toBe(0);
  });

  it("sends requests to PIOPIY_URL with the account of its settings", async () => {
    upstream.respond({});
    const program = run({ ...real(), LOG_LEVEL: "trace" });
    expect(await execute(await addressOf(program), alice)).toMatchObject(found);
    expect(upstream.requests.map(({ body }) => JSON.parse(body))).toEqual([
      { appid: 1, secret: "hush", username: "alice" },
    ]);
    expect(program.output.stdout).not.toMatch(/emulator|hush/);
  });

  it("responds to accepted requests before it exits", async () => {
    const responses: (() => void)[] = [];
    upstream.respond((response) => responses.push(() => send(response, {})));
    const program = run(real());
    const address = await addressOf(program);
    const result = execute(address, alice);
    await until(() => responses.length === 1);
    program.child.kill("SIGTERM");
    await until(() => fetchFails(address));
    for (const send of responses) send();
    expect(await result).toMatchObject(found);
    expect(await program.end).toBe(0);
  });

  it("finishes a write whose client has disconnected before it exits", async () => {
    const responses: ((cut: boolean) => void)[] = [];
    upstream.respond((response) =>
      responses.push((cut) => (cut ? response.destroy() : send(response, { body: { code: "cmi-400" } }))),
    );
    const program = run(real());
    const address = await addressOf(program);
    const leaving = new AbortController();
    const left = fetch(`${address}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: remove }),
      signal: leaving.signal,
    });
    await until(() => responses.length === 1);
    leaving.abort();
    await expect(left).rejects.toThrow();
    program.child.kill("SIGTERM");
    await until(() => fetchFails(address));
    expect(program.child.exitCode).toBeNull();
    // The response to the write is lost. The gateway still reconciles it.
    responses[0]?.(true);
    await until(() => responses.length === 2);
    responses[1]?.(false);
    expect(await program.end).toBe(0);
    expect(upstream.requests.map(({ operation }) => operation)).toEqual(["remove_sip", "get_sip"]);
    const audit = program.output.stdout.split("\n").filter((line) => line.includes('"name":"audit"'));
    expect(audit.map((line) => JSON.parse(line))).toMatchObject([
      { what: "Mutation.removeSipEndpoint", username: "alice", outcome: "done" },
    ]);
  });

  it("prints no warnings while many upstream requests time out", async () => {
    upstream.respond(() => {});
    const program = run({ ...real(), PIOPIY_MAX_CONCURRENCY: "40", PIOPIY_DEADLINE_MS: "500" });
    const reads = Array.from({ length: 64 }, (_, n) => `r${n}: sipEndpoint(username: "u${n}") { type }`);
    const address = await addressOf(program);
    const { errors } = (await execute(address, `{ ${reads.join(" ")} }`)) as { errors: unknown[] };
    expect(errors).toHaveLength(64);
    program.child.kill("SIGTERM");
    expect(await program.end).toBe(0);
    expect(program.output.stderr).toBe("");
  });

  it("exits without waiting for an aborted request that the emulator delays", async () => {
    const program = run({ ...emulated, PIOPIY_TIMEOUT_MS: "1000" });
    const address = await addressOf(program);
    const emulator = new URL(/at (\S+),/.exec(program.output.stdout)?.[1] ?? "").origin;
    await fetch(`${emulator}/_emulator/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"kind":"latency","ms":60000}',
    });
    expect(await execute(address, remove)).toMatchObject({
      data: { removeSipEndpoint: { username: "alice" } },
    });
    program.child.kill("SIGTERM");
    expect(await program.end).toBe(0);
  });

  it("serves GraphiQL with the settings of npm start only", async () => {
    const friendly = await addressOf(run({ PORT: "0" }, "--env-file=.env.emulator"));
    const page = await fetch(`${friendly}/graphiql`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect((await fetch(`${await addressOf(run(emulated))}/graphiql`)).status).toBe(404);
  });
});

describe("node dist/main.js does not start", () => {
  it("without settings: it lists all missing variables and exits with 1", async () => {
    const program = run({});
    expect(await program.end).toBe(1);
    expect(program.output).toEqual({
      stdout: "",
      stderr:
        "The configuration has errors:\n" +
        "  - AUTH must be set: api-key, jwt or none. With none, everyone who can reach this address can do everything.\n" +
        "  - PIOPIY_APP_ID must be set: the app id of the PIOPIY account.\n" +
        "  - PIOPIY_SECRET must be set: the secret of the PIOPIY account.\n",
    });
  });

  it("with invalid settings: it lists those of the emulator too, and shows no secret", async () => {
    const program = run({ ...emulated, PORT: "x", EMULATOR_ERRORS: "y", EMULATOR_SECRET: "hush" });
    expect(await program.end).toBe(1);
    expect(program.output.stderr).toMatch(/errors:\n {2}- PORT .*\n {2}- EMULATOR_ERRORS .*\n$/);
    expect(program.output.stderr + program.output.stdout).not.toContain("hush");
  });

  it.each(["PORT", "EMULATOR_PORT"])("when its %s is in use: it prints one line", async (name) => {
    const { port } = new URL(upstream.url);
    const program = run({ ...emulated, LOG_LEVEL: "silent", [name]: port });
    expect(await program.end).toBe(1);
    expect(program.output).toEqual({
      stdout: "",
      stderr: `Port ${port} on 127.0.0.1 is in use. Set ${name} to another port, or to 0 for any free port.\n`,
    });
  });
});

async function fetchFails(address: string): Promise<boolean> {
  return fetch(address).then(
    () => false,
    () => true,
  );
}

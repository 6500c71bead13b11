import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, expect, it } from "@jest/globals";
import { killPrograms, startProgram } from "../support/program.js";
import { closePhones, type Line, RawPhone } from "../support/sip/raw-phone.js";
import { until } from "../support/until.js";
import { malformed, request, response } from "./malformed-sip.js";
import { isLong, Report } from "./report.js";
import { seededRandom } from "./seeded-random.js";

const SEED = 20_261_128;
const MESSAGES = isLong ? 50_000 : 1500;
const BATCH = 30;
/** The longest timer of a transaction takes 32 seconds. */
const QUIET_MS = isLong ? 40_000 : 0;
const PASSWORD = "made-up-Lantern-27";
const TRANSPORTS = ["ws", "udp", "tcp"] as const;

const report = new Report(
  "i",
  `seed ${SEED}, node dist/emulator/main.js, ${MESSAGES} malformed SIP messages over WebSocket, UDP and TCP`,
);
afterEach(async () => {
  closePhones();
  await killPrograms();
});
afterAll(() => report.write());

it("an emulator that receives malformed SIP messages continues to register phones", async () => {
  const program = startProgram([process.execPath, "dist/emulator/main.js"], {
    EMULATOR_PORT: "0",
    EMULATOR_SIP_PORT: "0",
  });
  await until(() => program.output.stdout.includes("control routes") || program.child.exitCode !== null);
  const [, sip = ""] = /^ +SIP +(\S+)/m.exec(program.output.stdout) ?? [];
  const [, http = ""] = /http:\/\/(\S+)\/_emulator/.exec(program.output.stdout) ?? [];
  // Each group has an address of its own, because failed authentications are counted by address.
  const lineOf = (transport: Line["transport"], localAddress: string): Line => ({
    transport,
    address: transport === "ws" ? http : sip,
    localAddress,
  });
  const answerUrl = "http://127.0.0.1:1/";
  await fetch(`http://${http}/_emulator/numbers`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ number: 914471000000, answerUrl }),
  });

  const random = seededRandom(SEED);
  const open = new Map<string, RawPhone>();
  /** Returns a phone that is connected. The emulator closes connections on which it cannot tell messages apart. */
  const phoneOn = async (line: Line, prepare = async (_phone: RawPhone): Promise<unknown> => undefined) => {
    const key = JSON.stringify(line);
    const current = open.get(key);
    if (current && !current.isClosed) return current;
    const phone = await RawPhone.connect(line);
    open.set(key, phone);
    await prepare(phone);
    return phone;
  };
  const witness = await RawPhone.connect(lineOf("tcp", "127.0.0.3"));
  const answered = new WeakMap<RawPhone, number>();
  let longestMs = 0;
  let sent = 0;
  while (sent < MESSAGES) {
    for (const transport of TRANSPORTS) {
      const target = await phoneOn(lineOf(transport, "127.0.0.2"), (phone) =>
        phone.register("alice", PASSWORD),
      );
      for (const received of target.received.slice(answered.get(target) ?? 0)) {
        if (received.method === "INVITE" && !target.isClosed)
          target.sendRaw(malformed(response(received, random), random));
        sent++;
      }
      answered.set(target, target.received.length);
    }
    for (let count = 0; count < BATCH; count++) {
      const phone = await phoneOn(lineOf(random.pick(TRANSPORTS), "127.0.0.1"));
      phone.sendRaw(malformed(request(phone, random), random));
      sent++;
    }
    const startedAt = performance.now();
    const { status } = await witness.ask(witness.request("OPTIONS", "sip:x"));
    expect(status).toBe(200);
    longestMs = Math.max(longestMs, performance.now() - startedAt);
  }
  await pause(QUIET_MS);

  let registered = 0;
  for (const transport of TRANSPORTS) {
    const phone = await RawPhone.connect(lineOf(transport, "127.0.0.4"));
    if ((await phone.register("bob", "made-up-Harbor-58")).status === 200) registered++;
  }
  const phones = await (await fetch(`http://${http}/_emulator/phones`)).json();
  report.goal("transports over which a phone registers afterwards: 3", String(registered), registered === 3);
  report.goal("longest time to the response of an OPTIONS beside them", `${longestMs.toFixed(0)} ms`, true);
  expect(registered).toBe(3);
  expect(phones).toEqual(
    expect.arrayContaining([expect.objectContaining({ username: "bob", transport: "tcp" })]),
  );
  expect(program.child.exitCode).toBeNull();
  // No warning, and no message of a phone.
  expect(program.output.stderr).toBe("");
  expect(program.output.stdout).not.toMatch(/made-up|Digest/);
});

import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { bearer } from "../support/auth/api-keys.js";
import { makeKey, type SigningKey, sign, startIssuer } from "../support/auth/json-web-tokens.js";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { KeptConnection } from "../support/gateway/kept-connection.js";
import { killPrograms, startProgram } from "../support/program.js";
import { freePort, hasRedis, startRedis } from "../support/redis.js";
import { until } from "../support/until.js";
import { startBrokenUpstream } from "../support/upstream/broken-upstream.js";

const TIMEOUT_MS = 180_000;

describe("When a test changes the clocks", () => {
  let emulator: Emulator;
  let gateway: BuiltGateway | undefined;
  beforeEach(async () => {
    emulator = await startEmulator(readEmulatorSettings({ EMULATOR_PORT: "0" }));
  });
  afterEach(async () => {
    gateway?.child.kill("SIGKILL");
    await gateway?.end;
    gateway = undefined;
    await emulator.close();
  });

  async function start(env: Record<string, string> = {}): Promise<BuiltGateway> {
    gateway = await startBuiltGateway({
      PORT: "0",
      AUTH: "none",
      PIOPIY_URL: emulator.url,
      PIOPIY_APP_ID: "2222223",
      PIOPIY_SECRET: "emulator-secret",
      LOG_LEVEL: "silent",
      NODE_OPTIONS: `--import=${resolve("test/support/movable-clock.js")}`,
      ...env,
    });
    return gateway;
  }

  async function move(
    { child, output }: BuiltGateway,
    signal: "SIGUSR2" | "SIGHUP" | "SIGWINCH",
  ): Promise<void> {
    const before = output.stderr.length;
    child.kill(signal);
    await until(() => output.stderr.length > before);
  }

  async function countRequests(): Promise<number> {
    return ((await (await fetch(`${emulator.origin}/_emulator/calls`)).json()) as unknown[]).length;
  }

  describe("an answer URL that expires after a minute", () => {
    const answering = { PUBLIC_URL: "https://gateway.example.com", ANSWER_URL_SECRET: "made-up-".repeat(4) };
    async function answerUrl({ origin }: BuiltGateway): Promise<string> {
      const connection = new KeptConnection(origin);
      const { connectAction } = await connection.execute<{ connectAction: { answerUrl: string } }>(
        '{ connectAction(input: { call: [{ user: "alice" }] }) { answerUrl(expiresIn: 60) } }',
      );
      connection.close();
      return `${origin}${new URL(connectAction.answerUrl).pathname}`;
    }
    const post = async (url: string, body: BodyInit) => (await fetch(url, { method: "POST", body })).status;

    it.each<[string, (id: string) => BodyInit]>([
      ["as JSON", (id) => JSON.stringify({ cmiuuid: id })],
      ["as a form", (id) => new URLSearchParams({ cmiuuid: id })],
      ["under another key", (id) => JSON.stringify({ conversation_uuid: id })],
      ["with other values that change", (id) => JSON.stringify({ cmiuuid: id, time: Math.random() })],
    ])(
      "accepts a call for an hour at most, although its id is sent again %s",
      async (_, body) => {
        const running = await start(answering);
        const url = await answerUrl(running);
        expect(await post(url, body("call-1"))).toBe(200);
        const statuses: number[] = [];
        for (let half = 1; half <= 4; half++) {
          await move(running, "SIGUSR2");
          statuses.push(await post(url, body("call-1")));
        }
        expect(statuses).toEqual([200, 404, 404, 404]);
        expect(await post(url, body("call-2"))).toBe(404);
      },
      TIMEOUT_MS,
    );
  });

  it.each([
    [
      "a read",
      '{ sipEndpoint(username: "alice") { username type } }',
      '{ sipEndpoint(username: "alice") { type } }',
    ],
    [
      "a whole response",
      '{ sipEndpoint(username: "alice") { type } }',
      '{ sipEndpoint(username: "alice") { type } }',
    ],
    ["a page", "{ sipEndpoints { totalCount } }", "{ sipEndpoints { totalCount nodes { username } } }"],
  ])(
    "%s is cached for CACHE_TTL_MS, independent of the system clock",
    async (_, first, second) => {
      const running = await start({ CACHE_TTL_MS: "60000" });
      const connection = new KeptConnection(running.origin);
      await connection.execute(first);
      const before = await countRequests();
      for (const signal of ["SIGHUP", "SIGWINCH", "SIGWINCH"] as const) {
        await connection.execute(second);
        await move(running, signal);
      }
      await connection.execute(second);
      expect(await countRequests()).toBe(before);
      await move(running, "SIGUSR2");
      await connection.execute(second);
      expect(await countRequests()).toBe(before + 1);
      connection.close();
    },
    TIMEOUT_MS,
  );

  describe.each([
    "SIGHUP",
    "SIGWINCH",
  ] as const)("and the system clock is set back or ahead (%s)", (signal) => {
    it(
      "an open circuit breaker lets a probe through after BREAKER_RESET_MS",
      async () => {
        const upstream = await startBrokenUpstream();
        const running = await start({
          PIOPIY_URL: upstream.url,
          BREAKER_RESET_MS: "60000",
          CACHE_TTL_MS: "0",
        });
        const origin = running.origin;
        try {
          upstream.respond({ status: 500, body: "unavailable" });
          await until(async () => (await retryAfterMs(origin)) !== undefined);
          await move(running, signal);
          const waiting = await retryAfterMs(origin);
          expect(waiting).toBeGreaterThan(0);
          expect(waiting).toBeLessThanOrEqual(60_000);
          upstream.respond({});
          expect(upstream.requests).toHaveLength(0);
          await move(running, "SIGUSR2");
          expect(await retryAfterMs(origin)).toBeUndefined();
          expect(upstream.requests).toHaveLength(1);
        } finally {
          await upstream.close();
        }
      },
      TIMEOUT_MS,
    );

    it(
      "extensions.stale.ageMs is the age of the response",
      async () => {
        const upstream = await startBrokenUpstream();
        const running = await start({ PIOPIY_URL: upstream.url, CACHE_TTL_MS: "1000" });
        const read = () => post(running.origin, '{ sipEndpoint(username: "alice") { type } }');
        try {
          upstream.respond({});
          await read();
          await move(running, signal);
          await move(running, "SIGUSR2");
          upstream.respond({ status: 500, body: "unavailable" });
          const { ageMs } = (await read()).extensions.stale;
          expect(ageMs).toBeGreaterThanOrEqual(1_800_000);
          expect(ageMs).toBeLessThan(2_000_000);
          expect(Number.isInteger(ageMs)).toBe(true);
        } finally {
          await upstream.close();
        }
      },
      TIMEOUT_MS,
    );

    it(
      "new keys of the issuer are fetched immediately, and removed ones are invalid after ten minutes",
      async () => {
        const issuer = await startIssuer();
        try {
          const [old, next] = [await makeKey("old"), await makeKey("new")];
          await issuer.publish(old);
          const running = await start(issuer.settings);
          const status = async (key: SigningKey) =>
            (
              await fetch(`${running.origin}/graphql`, {
                method: "POST",
                // The gateway's clock differs by an hour from this one.
                headers: {
                  "content-type": "application/json",
                  ...bearer(await sign(key, { exp: Math.floor(Date.now() / 1000) + 14_400 })),
                },
                body: '{"query":"{ __typename }"}',
              })
            ).status;
          expect(await status(old)).toBe(200);
          await move(running, signal);
          await issuer.publish(next);
          expect(await status(next)).toBe(200);
          await issuer.publish(old);
          await move(running, "SIGUSR2");
          expect(await status(next)).toBe(401);
        } finally {
          await issuer.close();
        }
      },
      TIMEOUT_MS,
    );

    const itWithRedis = hasRedis ? it : it.skip;
    itWithRedis(
      "a read that is cached in Redis is served for CACHE_TTL_MS",
      async () => {
        const redis = await startRedis();
        const upstream = await startBrokenUpstream();
        upstream.respond({});
        const env = { REDIS_URL: redis.url, PIOPIY_URL: upstream.url, CACHE_TTL_MS: "3000" };
        const [writing, reading] = [await start(env), await start(env)];
        try {
          await move(writing, signal);
          const read = (origin: string, name: string) =>
            post(origin, `{ sipEndpoint(username: "${name}") { type } }`);
          let count = 0;
          let readAt = 0;
          // A gateway may not be connected to Redis yet.
          await until(async () => {
            const name = `name-${count++}`;
            await read(writing.origin, name);
            readAt = performance.now();
            const before = upstream.requests.length;
            await read(reading.origin, name);
            return upstream.requests.length === before;
          });
          const before = upstream.requests.length;
          let servedAt = 0;
          await until(async () => {
            const requested = performance.now();
            await read(reading.origin, `name-${count - 1}`);
            if (upstream.requests.length > before) return true;
            servedAt = requested;
            return false;
          });
          expect(servedAt - readAt).toBeLessThan(4000);
          upstream.respond({ status: 500, body: "unavailable" });
          await until(async () => {
            const { extensions } = await read(reading.origin, `name-${count - 1}`);
            if (!extensions?.stale) return false;
            expect(extensions.stale.ageMs).toBeGreaterThanOrEqual(3000);
            expect(extensions.stale.ageMs).toBeLessThan(60_000);
            return true;
          });
        } finally {
          writing.child.kill("SIGKILL");
          await upstream.close();
          await redis.kill();
        }
      },
      TIMEOUT_MS,
    );
  });

  async function post(origin: string, query: string) {
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    return response.json() as Promise<{
      readonly errors?: readonly { readonly extensions: { readonly retryAfterMs?: number } }[];
      readonly extensions: { readonly stale: { readonly ageMs: number } };
    }>;
  }

  /** Returns `retryAfterMs` of a read that the circuit breaker rejects, or undefined when it allows the read. */
  async function retryAfterMs(origin: string): Promise<number | undefined> {
    const { errors } = await post(origin, '{ sipEndpoint(username: "alice") { type } }');
    return errors?.[0]?.extensions.retryAfterMs;
  }
});

describe("A start that fails", () => {
  const folders: string[] = [];
  afterEach(async () => {
    await killPrograms();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  const emulated = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator", LOG_LEVEL: "silent" };

  const run = (file: string, env: Record<string, string>) => startProgram([process.execPath, file], env);

  /** Copies the built program without the GraphiQL page, and returns the path of its main file. */
  function withoutPage(): string {
    const folder = mkdtempSync(join(tmpdir(), "gateway-"));
    folders.push(folder);
    const filter = (source: string) => !source.endsWith(join("dist", "graphiql"));
    cpSync("dist", join(folder, "dist"), { recursive: true, filter });
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
    return join(folder, "dist", "main.js");
  }

  it.each<[string, Record<string, string>, RegExp]>([
    ["on the emulator", {}, /^ENOENT.*graphiql.*\n$/],
    [
      "with workers",
      { WORKERS: "2" },
      /^ENOENT.*graphiql.*\nThe first worker could not start: see its error above\.\n$/,
    ],
    ["with a Redis that is unreachable", { REDIS_URL: "redis://127.0.0.1:1" }, /^ENOENT.*graphiql.*\n$/],
    [
      "with AUTH=jwt",
      { AUTH: "jwt", JWT_JWKS_URL: "http://127.0.0.1:1", JWT_ISSUER: "made-up", JWT_AUDIENCE: "made-up" },
      /^ENOENT.*graphiql.*\n$/,
    ],
  ])(
    "because GraphiQL's files are missing prints that once and exits with 1, %s",
    async (_, env, message) => {
      const { output, end } = run(withoutPage(), { ...emulated, GRAPHIQL: "true", ...env });
      expect(await end).toBe(1);
      expect(output.stderr).toMatch(message);
      expect(output.stdout).toBe("");
    },
    TIMEOUT_MS,
  );

  const itWithRedis = hasRedis ? it : it.skip;
  itWithRedis(
    "because its port is in use closes Redis and the emulator too",
    async () => {
      const redis = await startRedis();
      try {
        const env = { ...emulated, REDIS_URL: redis.url, PORT: String(redis.port) };
        const { output, end } = run(join("dist", "main.js"), env);
        expect(await end).toBe(1);
        expect(output.stderr).toMatch(/^Port \d+ on 127\.0\.0\.1 is in use\. .*\n$/);
      } finally {
        await redis.kill();
      }
    },
    TIMEOUT_MS,
  );

  it.each([
    ["main.js", emulated],
    [join("emulator", "main.js"), { EMULATOR_PORT: "0" }],
  ])(
    "because the emulator's data file is invalid prints that once and exits with 1: %s",
    async (file, env) => {
      const folder = mkdtempSync(join(tmpdir(), "emulator-"));
      folders.push(folder);
      const data = join(folder, "endpoints.json");
      writeFileSync(data, '{"endpoints": [');
      const { output, end } = run(join("dist", file), { ...env, EMULATOR_DATA: data });
      expect(await end).toBe(1);
      expect(output.stderr.split("\n")).toHaveLength(2);
      expect(output.stdout).toBe("");
    },
    TIMEOUT_MS,
  );

  it.each([
    ["one process", "1"],
    ["workers", "2"],
  ])(
    "because a signal ends it exits without an error, at any moment: %s",
    async (_, workers) => {
      const port = String(await freePort());
      for (let part = 0; part < 6; part++) {
        const { child, output, end } = run(join("dist", "main.js"), {
          ...emulated,
          WORKERS: workers,
          PORT: port,
        });
        await sleep(150 * part);
        child.kill("SIGTERM");
        expect([0, "SIGTERM"]).toContain(await end);
        expect(output.stderr).toBe("");
      }
    },
    TIMEOUT_MS,
  );
});

import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ConfigError, readConfig } from "../../src/config.js";
import { killPrograms, type Program, startProgram } from "../support/program.js";
import { freePort, hasRedis, startRedis } from "../support/redis.js";
import { until } from "../support/until.js";
import { canaries, holdsCanary } from "../support/upstream/canaries.js";

const withRedis = hasRedis ? it : it.skip;
if (!hasRedis)
  process.stderr.write("Skipped: a test of Redis's password needs Redis (apt-get install redis-server).\n");

const password = encodeURIComponent(canaries.secret);
afterEach(killPrograms);

/** Starts the built gateway with this Redis. */
function run(url: string): Program {
  const env = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator", LOG_LEVEL: "trace", REDIS_URL: url };
  return startProgram([process.execPath, join("dist", "main.js")], env);
}

/** Checks that the program responds without Redis and exits with 0. Returns the reasons in its log entries about Redis. */
async function expectService({ child, output, end }: Program): Promise<string[]> {
  const reported = (text: string) => output.stdout.includes(text);
  await until(() => (reported("AUTH=none") && reported("Redis is unreachable")) || child.exitCode !== null);
  const [, address] = /"graphql":"(http[^"]+)"/.exec(output.stdout) ?? [];
  const response = await fetch(`${address}?query={__typename}`, {
    headers: { "apollo-require-preflight": "1" },
  });
  expect(response.status).toBe(200);
  const cost = { requested: 1, remaining: 59_999 };
  expect(await response.json()).toEqual({ data: { __typename: "Query" }, extensions: { cost } });
  expect(response.headers.get("ratelimit-remaining")).toBe("59999");
  child.kill("SIGTERM");
  expect(await end).toBe(0);
  expect(output.stderr).toBe("");
  const lines = output.stdout.split("\n").filter((line) => line.includes('"msg":"Redis'));
  return lines.map((line) => JSON.parse(line).reason);
}

describe("node dist/main.js", () => {
  it("starts, responds and exits with 0 when Redis is unreachable", async () => {
    const port = await freePort();
    const program = run(`redis://127.0.0.1:${port}`);
    // On a busy machine the timeout of the connection may end first.
    const reason = expect.stringMatching(/^(?:ECONNREFUSED|ConnectionTimeoutError)$/);
    expect(await expectService(program)).toEqual([reason]);
  });

  it("does not log the password of a Redis that is unreachable", async () => {
    const program = run(`redis://:${password}@127.0.0.1:${await freePort()}`);
    expect(await expectService(program)).toHaveLength(1);
    expect(holdsCanary(program.output.stdout, "secret")).toBe(false);
  });

  withRedis("does not log a password that Redis rejects", async () => {
    const redis = await startRedis(undefined, "--requirepass", "made-up-1");
    const program = run(redis.url.replace("//", `//:${password}@`));
    try {
      expect(await expectService(program)).toEqual([expect.stringContaining("WRONGPASS")]);
    } finally {
      await redis.kill();
    }
    expect(holdsCanary(program.output.stdout, "secret")).toBe(false);
  });
});

describe("REDIS_URL", () => {
  it.each([
    `http://:${password}@redis.example.com`,
    `redis//:${password}@redis.example.com`,
    `:${password}@redis.example.com`,
    canaries.secret,
    `redis://:${password}@[`,
  ])("must be a Redis URL, and is not shown when it is invalid: %s", (url) => {
    const read = () => readConfig({ AUTH: "none", PIOPIY_URL: "emulator", REDIS_URL: url });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/\n {2}- REDIS_URL must be a URL that starts with redis:\/\/ or rediss:\/\/\.$/);
    expect(read).not.toThrow(/canary/);
  });
});

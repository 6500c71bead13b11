import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type BuiltGateway, startBuiltGateway } from "../support/gateway/built-gateway.js";
import { until } from "../support/until.js";

const env = { PORT: "0", AUTH: "none", PIOPIY_URL: "emulator", WORKERS: "3", CACHE_TTL_MS: "3600000" };

let gateway: BuiltGateway;
afterEach(async () => {
  gateway.child.kill("SIGKILL");
  await gateway.end;
});

/** Sends an operation over a new connection, which any worker may accept. */
async function execute<Data>(query: string, username: string): Promise<Data> {
  const sent = request(`${gateway.origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    agent: false,
  });
  sent.end(JSON.stringify({ query, variables: { username } }));
  const [response] = await once(sent, "response");
  const chunks: Buffer[] = await response.toArray();
  const { data, errors } = JSON.parse(Buffer.concat(chunks).toString());
  expect(errors).toBeUndefined();
  return data;
}

async function isThere(username: string): Promise<boolean> {
  const query = "query ($username: ID!) { sipEndpoint(username: $username) { username } }";
  return (await execute<{ sipEndpoint: unknown }>(query, username)).sipEndpoint !== null;
}

async function write(mutation: string, username: string): Promise<void> {
  await execute(
    `mutation ($username: ID!) { ${mutation}(input: { username: $username }) { userErrors { code } } }`,
    username,
  );
}

/** Returns the ids of the processes that have responded so far. */
const respondingPids = () =>
  new Set(
    gateway.output.stdout
      .split("\n")
      .filter((line) => line.includes('"request completed"'))
      .map((line) => Number(JSON.parse(line).pid)),
  );

async function allRespond(count: number): Promise<void> {
  await until(async () => {
    await isThere("alice");
    return respondingPids().size === count;
  });
}

describe("Workers", () => {
  it("share a port, and show a change of one worker in all of them immediately", async () => {
    gateway = await startBuiltGateway(env);
    await allRespond(3);
    for (let round = 0; round < 20; round++) {
      const username = `round-${Math.floor(round / 2)}`;
      const isNew = round % 2 === 0;
      await Promise.all(Array.from({ length: 6 }, () => isThere(username)));
      await write(isNew ? "createSipEndpoint" : "removeSipEndpoint", username);
      const seen = await Promise.all(Array.from({ length: 6 }, () => isThere(username)));
      expect(seen).toEqual(Array(6).fill(isNew));
    }
  });

  it("are replaced when they exit unexpectedly", async () => {
    gateway = await startBuiltGateway(env);
    await allRespond(3);
    const [victim = 0] = respondingPids();
    process.kill(victim, "SIGKILL");
    const isExit = (line: string) => line.includes("a worker exited unexpectedly");
    await until(() => gateway.output.stdout.split("\n").some(isExit));
    const exit = gateway.output.stdout.split("\n").find(isExit) ?? "";
    expect(JSON.parse(exit)).toMatchObject({
      pid: gateway.child.pid,
      workerPid: victim,
      signalCode: "SIGKILL",
    });
    await write("createSipEndpoint", "bob-2");
    expect(await isThere("bob-2")).toBe(true);
    await allRespond(4);
  });

  it("exit together with their primary process on SIGTERM", async () => {
    gateway = await startBuiltGateway(env);
    await allRespond(3);
    gateway.child.kill("SIGTERM");
    expect(await gateway.end).toBe(0);
    for (const pid of respondingPids()) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("exit when their primary process is killed", async () => {
    gateway = await startBuiltGateway(env);
    await allRespond(3);
    gateway.child.kill("SIGKILL");
    await gateway.end;
    const runs = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await until(() => ![...respondingPids()].some(runs));
  });

  it("do not start on a port that is in use, and print the error once", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    try {
      await expect(startBuiltGateway({ ...env, PORT: String(port) })).rejects.toThrow(
        `the gateway did not start:\nPort ${port} on 127.0.0.1 is in use. Set PORT to another port, or to 0 for any free port.\n` +
          "The first worker could not start: see its error above.\n",
      );
    } finally {
      server.close();
    }
  });
});

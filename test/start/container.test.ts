import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { until } from "../support/until.js";
import { Compose } from "./compose.js";
import { hasContainers } from "./containers.js";

// These tests install a Linux system and build two images.
jest.setTimeout(1_800_000);

const IMAGE = "localhost/piopiy-graphql-gateway";
const CLIENTS = 5;
const copies = ["gateway-1", "gateway-2", "gateway-3"];
const graphql = "http://127.0.0.1:4000/graphql";
const balanced = "http://127.0.0.1:4200/graphql";
const alice = { query: '{ sipEndpoint(username: "alice") { username } }' };
const found = '"data":{"sipEndpoint":{"username":"alice"}}';

const describeWithContainers = hasContainers ? describe : describe.skip;
if (!hasContainers) {
  process.stderr.write(
    "Skipped: the container tests need root and Debian's buildah, mmdebstrap, iproute2 and curl.\n",
  );
}

let compose: Compose;
beforeAll(async () => {
  if (!hasContainers) return;
  compose = await Compose.create();
  await compose.build();
});
afterEach(() => compose?.stop());
afterAll(() => compose?.remove());

describeWithContainers("The container image", () => {
  it("starts as a user without privileges, with the variables of .env.example, and generates API keys", async () => {
    const { User, Cmd, Healthcheck } = await compose.containers.inspect(IMAGE);
    const lines = readFileSync(".env.example", "utf8").match(/^[A-Z_]+=.*$/gm) ?? [];
    const example = Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2)));
    const environment = { ...example, PIOPIY_APP_ID: "1", PIOPIY_SECRET: "hush", AUTH: "none" };
    const container = await compose.containers.from(IMAGE, { host: "gateway", environment });
    container.start(Cmd);
    await until(async () => (await container.exec(Healthcheck?.Test.slice(1) ?? [])) === 0);
    expect(await container.exec(["node", "dist/auth/make-api-key.js", "app", "sip:read"])).toBe(0);
    expect(User).toBe("node");
  });

  it("is unhealthy when the gateway listens on loopback only (HOST=127.0.0.1)", async () => {
    const { Cmd, Healthcheck } = await compose.containers.inspect(IMAGE);
    const environment = { AUTH: "none", PIOPIY_URL: "emulator", HOST: "127.0.0.1" };
    const container = await compose.containers.from(IMAGE, { host: "gateway", environment });
    const { output } = container.start(Cmd);
    await until(() => output.stdout.includes("the gateway listens"));
    expect(await container.exec(Healthcheck?.Test.slice(1) ?? [])).toBe(1);
  });

  it("contains the licenses and the bill of materials of its packages", async () => {
    const container = await compose.containers.from(IMAGE, { host: "gateway" });
    const files = ["dist/THIRD-PARTY-NOTICES.txt", "dist/sbom.cdx.json"];
    expect(await container.exec(["ls", ...files])).toBe(0);
  });

  it("is larger than its base image by less than the documented size", async () => {
    const [, documented] =
      /adds less than (\d+) MB to its base image/.exec(readFileSync("docs/operations.md", "utf8")) ?? [];
    expect(await compose.containers.measure(IMAGE, "app")).toBeLessThan(Number(documented));
    expect(Number(documented)).toBeLessThan(200);
  });
});

describeWithContainers("The compose file", () => {
  it("runs the command line in the container of the gateway", async () => {
    const { container } = await compose.up("gateway");
    const sip = (...args: string[]) => container.exec(["node", "dist/cli/main.js", ...args]);
    expect(await sip("create", "erin", "--password", "made-up-Cobalt-7")).toBe(0);
    expect(await sip("get", "erin")).toBe(0);
    expect(await sip("get", "zoe")).toBe(1);
    expect(await sip("get", "erin", "--url", "http://127.0.0.1:1")).toBe(3);
    expect(
      await compose.request(graphql, { query: '{ sipEndpoint(username: "erin") { username } }' }),
    ).toContain('"data":{"sipEndpoint":{"username":"erin"}}');
  });

  it("runs the gateway and the emulator, with GraphiQL and answer URLs", async () => {
    await compose.up("gateway");
    expect(await compose.request("http://127.0.0.1:4000/health/ready")).toContain('"ready"');
    expect(await compose.request(graphql, alice)).toContain(found);
    const page = await compose.request("http://127.0.0.1:4000/graphiql");
    expect(page?.includes("graphiql-container")).toBe(true);
    const query = '{ connectAction(input: { call: [{ user: "alice" }] }) { answerUrl } }';
    const { data } = JSON.parse(String(await compose.request(graphql, { query })));
    const { answerUrl } = data.connectAction;
    const behaviours = { alice: { answersAfter: 3 } };
    const call = { to: 914471000000, from: 919999900000, answerUrl, behaviours };
    expect(await compose.request("http://127.0.0.1:5080/_emulator/call", call)).toContain(
      '{"at":3,"event":"answers","endpoint":"alice"}',
    );
  });

  it.each(["gateway", "emulator"])("runs the %s with a file system that is read-only", async (name) => {
    const { container } = await compose.up(name);
    // Every user may write to /tmp.
    const write = (path: string) => ["node", "-e", `fs.writeFileSync("${path}", "")`];
    expect(await container.exec(write("/dev/null"))).toBe(0);
    expect(await container.exec(write("/tmp/file"))).toBe(1);
  });

  it("runs the router and the example subgraph, which respond to a federated query", async () => {
    await compose.up("router");
    const query = "{ employees { name softphone { sipUri } } }";
    expect(await compose.request("http://127.0.0.1:4100/graphql", { query })).toContain(
      '{"name":"Alice Adams","softphone":{"sipUri":"sip:alice@sbc.emulator.example"}}',
    );
  });

  it("runs three gateways behind the balancer, which share cached responses in Redis", async () => {
    await compose.up("balancer");
    for (const name of copies) {
      await until(async () => {
        expect(await compose.request(balanced, alice)).toContain(found);
        return hasServed(name);
      });
    }
    const reads = JSON.parse(String(await compose.request("http://127.0.0.1:5080/_emulator/calls")));
    expect(reads.length).toBeLessThan(copies.length);
    expect(await compose.request("http://127.0.0.1:4200/health/ready")).toContain('"redis":"up"');
  });

  it("loses no request when one of the three gateways stops and starts again", async () => {
    await compose.up("balancer");
    const url = `${balanced}?query=${encodeURIComponent(alice.query)}&number=[1-1000000]`;
    const options = ["--header", "apollo-require-preflight: true", "--rate", "20/s", "--output", "/dev/null"];
    // Unlike the standard output, the standard error is not buffered.
    const status = ["--write-out", "%{stderr}%{http_code}\n"];
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => compose.curl(...options, ...status, url)),
    );
    const statuses = () => clients.flatMap(({ output }) => output.stderr.match(/^\d+$/gm) ?? []);
    await until(() => hasServed("gateway-2"));
    const { stop } = await compose.up("gateway-2");
    expect(await stop()).toBe(0);
    const { length } = statuses();
    await until(() => statuses().length > length + 10 * CLIENTS);
    await compose.up("gateway-2");
    await until(() => hasServed("gateway-2"));
    expect(statuses().filter((code) => code !== "200")).toEqual([]);
  });

  it("runs Prometheus, which scrapes the gateway and evaluates the alert rules", async () => {
    await compose.up("prometheus");
    const api = "http://127.0.0.1:9090/api/v1";
    await until(async () => (await compose.request(`${api}/query?query=up`))?.includes(',"1"]') ?? false);
    await until(async () => (await compose.request(`${api}/rules`))?.includes('"health":"ok"') ?? false);
  });
});

/** Returns whether a running gateway has responded to an operation since it started. */
async function hasServed(name: string): Promise<boolean> {
  const { program } = await compose.up(name);
  return program.output.stdout.includes("request completed");
}

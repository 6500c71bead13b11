import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { parse } from "yaml";
import { Containers, hasContainers } from "./containers.js";

// These tests install a Linux system and build three images.
jest.setTimeout(1_800_000);

interface Service {
  readonly image?: string;
  readonly build?: string | { readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

const { services } = parse(readFileSync("docker-compose.yml", "utf8")) as {
  services: Record<"gateway" | "emulator" | "employees" | "router", Service>;
};
const names = Object.keys(services);
const alice = { query: '{ sipEndpoint(username: "alice") { username } }' };
const found = '"data":{"sipEndpoint":{"username":"alice"}}';

const describeWithContainers = hasContainers ? describe : describe.skip;
if (!hasContainers) {
  process.stderr.write(
    "Skipped: the container tests need root and Debian's buildah, debootstrap, iproute2 and curl.\n",
  );
}

describeWithContainers("The container", () => {
  let containers: Containers;
  beforeAll(async () => {
    containers = await Containers.create();
    await containers.createBaseImage(24, [
      "docker.io/library/node:24-slim",
      "docker.io/library/node:24-alpine",
    ]);
    await containers.build("localhost/gateway");
    await containers.build("localhost/employees", "employees");
  });
  afterEach(() => containers.stop());
  afterAll(() => containers?.remove());

  /** Waits until the health check of a container succeeds. */
  async function healthy(isHealthy: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + 120_000;
    while (!(await isHealthy())) {
      if (performance.now() > end) throw new Error("it did not become healthy");
      await setTimeout(100);
    }
  }

  /** Starts a service as the compose file describes it, and waits until it is healthy. */
  async function startService(name: keyof typeof services): Promise<void> {
    const { build, command, environment = {}, volumes = [], healthcheck } = services[name];
    const image = `localhost/${typeof build === "object" ? build.target : "gateway"}`;
    const config = await containers.inspect(image);
    const container = await containers.from(image, {
      hosts: names,
      volumes: volumes.map((volume) => resolve(volume)),
    });
    container.start(command ?? config.Cmd, environment);
    const [form, ...check] = healthcheck?.test ?? config.Healthcheck?.Test ?? [];
    expect(form).toBe("CMD");
    await healthy(async () => (await container.exec(check, environment)) === 0);
  }

  it("runs the gateway and the emulator of the compose file, which respond to a query", async () => {
    await startService("emulator");
    await startService("gateway");
    expect(await containers.request("http://127.0.0.1:4000/health/ready")).toContain('"ready"');
    expect(await containers.request("http://127.0.0.1:4000/graphql", alice)).toContain(found);
    expect(await containers.request("http://127.0.0.1:5080/_emulator/calls")).toContain('"get_sip"');
  });

  it("runs the router and the example subgraph of the compose file, which respond to a federated query", async () => {
    for (const name of ["emulator", "gateway", "employees"] as const) await startService(name);
    // The image of the router is not pulled: the tests have the same router as a package.
    const { command = [], environment = {}, volumes = [] } = services.router;
    const router = await containers.from("localhost/employees", {
      hosts: names,
      volumes: [
        ...volumes.map((volume) => resolve(volume)),
        `${resolve("test/support/router/serve.js")}:/app/serve.js:ro`,
        `${resolve("node_modules")}:/app/node_modules:ro`,
      ],
      workingDirectory: "/gateway",
    });
    router.start(["node", "/app/serve.js", ...command], { ...environment, PORT: "4100" });
    const query = "{ employees { name softphone { sipUri } } }";
    const url = "http://127.0.0.1:4100/graphql";
    await healthy(async () => (await containers.request(url, { query: "{ __typename }" })) !== undefined);
    expect(await containers.request(url, { query })).toContain(
      '{"name":"Alice Adams","softphone":{"sipUri":"sip:alice@sbc.emulator.example"}}',
    );
  });

  it("is unhealthy when it listens on loopback only (HOST=127.0.0.1)", async () => {
    const { User, Cmd, Healthcheck } = await containers.inspect("localhost/gateway");
    const container = await containers.from("localhost/gateway");
    const env = { AUTH: "none", PIOPIY_URL: "emulator", HOST: "127.0.0.1" };
    container.start(Cmd, env);
    await healthy(async () => (await containers.request("http://127.0.0.1:4000/health/live")) !== undefined);
    expect(await container.exec(Healthcheck?.Test.slice(1) ?? [], env)).toBe(1);
    expect(User).toBe("node");
  });

  it("contains the licenses and the bill of materials of its packages", async () => {
    const container = await containers.from("localhost/gateway");
    const files = ["dist/THIRD-PARTY-NOTICES.txt", "dist/sbom.cdx.json"];
    expect(await container.exec(["ls", ...files], {})).toBe(0);
  });

  it("starts with the variables of .env.example, and generates API keys", async () => {
    const { Cmd, Healthcheck } = await containers.inspect("localhost/gateway");
    const container = await containers.from("localhost/gateway");
    const lines = readFileSync(".env.example", "utf8").match(/^[A-Z_]+=.*$/gm) ?? [];
    const example = Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2)));
    const env = { ...example, PIOPIY_APP_ID: "1", PIOPIY_SECRET: "hush", AUTH: "none" };
    container.start(Cmd, env);
    await healthy(async () => (await container.exec(Healthcheck?.Test.slice(1) ?? [], env)) === 0);
    expect(await container.exec(["node", "dist/auth/make-api-key.js", "app", "sip:read"], {})).toBe(0);
  });
});

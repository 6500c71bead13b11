import { once } from "node:events";
import { readFileSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.js";
import { readEmulatorSettings } from "../../src/emulator/settings.js";
import { bearer, sha256 } from "../support/auth/api-keys.js";
import { DeployedCopy } from "../support/deployed-copy.js";
import { originOf } from "../support/gateway/built-gateway.js";
import { killPrograms, type Program } from "../support/program.js";
import { freePort } from "../support/redis.js";
import { until } from "../support/until.js";

interface Variable {
  readonly name: string;
  readonly value: string;
}

interface HttpGet {
  readonly path: string;
  readonly port: string;
  readonly httpHeaders?: readonly Variable[];
}

interface Container
  extends Readonly<
    Record<"startupProbe" | "livenessProbe" | "readinessProbe", { readonly httpGet: HttpGet }>
  > {
  readonly env: readonly Variable[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly [{ readonly mountPath: string }];
}

interface Pod {
  readonly securityContext: { readonly fsGroup: number };
  readonly containers: readonly [Container];
  readonly volumes: readonly [{ readonly secret: { readonly defaultMode: number } }];
}

const read = (name: string) => readFileSync(join("ops/kubernetes", name), "utf8");
const pod: Pod = parse(read("deployment.yaml")).spec.template.spec;
const [container] = pod.containers;
const [, command = ""] = /.*^CMD (\[.*\])$/ms.exec(readFileSync("Dockerfile", "utf8")) ?? [];

let emulator: Emulator;
let copy: DeployedCopy;
/** Directory in place of the mounted secret. */
let secret: string;
/** A free port for each port of the container. */
const ports = new Map<string, number>();
let gateway: Program;
let origin: string;

beforeAll(async () => {
  const account = readEmulatorSettings({ EMULATOR_PORT: "0" });
  emulator = await startEmulator(account);
  copy = await DeployedCopy.create();
  secret = await mkdtemp(join(tmpdir(), "secret-"));
  await chmod(secret, 0o755);
  await writeSecret("piopiy-secret", account.secret);
  await writeSecret("api-keys", `app:${sha256("made-up-key")}:sip:read`);
  await writeSecret("redis-url", `redis://127.0.0.1:${await freePort()}`);
  for (const { containerPort } of container.ports) ports.set(String(containerPort), await freePort());
  const [{ mountPath }] = container.volumeMounts;
  const [node, ...args] = JSON.parse(command);
  expect(node).toBe("node");
  gateway = copy.run(args, {
    ...(parseEnv(read("settings.env")) as Record<string, string>),
    PIOPIY_APP_ID: String(account.appId),
    PIOPIY_URL: emulator.url,
    ...Object.fromEntries(
      container.env.map(({ name, value }) => [
        name,
        String(ports.get(value) ?? value.replace(mountPath, secret)),
      ]),
    ),
  });
  origin = await originOf(gateway);
});
afterAll(async () => {
  await killPrograms();
  await copy.remove();
  await rm(secret, { recursive: true });
  await emulator.close();
});

/** Writes a file of the secret, with the owner and the permissions that Kubernetes sets. */
async function writeSecret(name: string, value: string): Promise<void> {
  const path = join(secret, name);
  await writeFile(path, `${value}\n`);
  await chmod(path, pod.volumes[0].secret.defaultMode);
  if (process.getuid?.() === 0) await chown(path, 0, pod.securityContext.fsGroup);
}

/** Sends a request to a named port of the container, and returns the HTTP status. */
async function statusOf({ path, port: name, httpHeaders = [] }: HttpGet): Promise<number | undefined> {
  const { containerPort } = container.ports.find((port) => port.name === name) ?? {};
  const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value]));
  const sent = get({
    host: "127.0.0.1",
    port: ports.get(String(containerPort)),
    path,
    headers,
    agent: false,
  });
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

async function execute(): Promise<unknown> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...bearer("made-up-key") },
    body: JSON.stringify({ query: '{ sipEndpoint(username: "alice") { username } }' }),
  });
  return response.json();
}

const found = { data: { sipEndpoint: { username: "alice" } } };

it("The gateway runs with the variables, the secret and the permissions of ops/kubernetes", async () => {
  expect(await execute()).toMatchObject(found);
  expect(gateway.output.stderr).toBe("");
});

it.each([
  "startupProbe",
  "livenessProbe",
  "readinessProbe",
] as const)("The %s of ops/kubernetes succeeds", async (name) => {
  expect(await statusOf(container[name].httpGet)).toBe(200);
});

it("The service monitor of ops/kubernetes reads the metrics", async () => {
  const [{ path, port }] = parse(read("service-monitor.yaml")).spec.endpoints;
  expect(await statusOf({ path, port })).toBe(200);
});

it("After SIGTERM, the readiness probe fails, the liveness probe succeeds, and operations are executed", async () => {
  gateway.child.kill("SIGTERM");
  await until(async () => (await statusOf(container.readinessProbe.httpGet)) === 503);
  expect(await statusOf(container.livenessProbe.httpGet)).toBe(200);
  expect(await execute()).toMatchObject(found);
});

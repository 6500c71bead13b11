import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "@jest/globals";
import { ServiceMonitor } from "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor";
import { Deployment } from "kubernetes-models/apps/v1/Deployment";
import { HorizontalPodAutoscaler } from "kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1/NetworkPolicy";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1/PodDisruptionBudget";
import { Service } from "kubernetes-models/v1/Service";
import { parse } from "yaml";
import { fileVariables } from "../../src/config.js";

const DIRECTORY = "ops/kubernetes";
const NAME = "piopiy-graphql-gateway";
const models = [
  Deployment,
  Service,
  PodDisruptionBudget,
  HorizontalPodAutoscaler,
  NetworkPolicy,
  ServiceMonitor,
];

/** The schemas check the types of the fields. */
type Manifest = ReturnType<typeof parse>;

const read = (name: string): Manifest => parse(readFileSync(join(DIRECTORY, name), "utf8"));
const kustomization = read("kustomization.yaml");
const manifests: readonly string[] = kustomization.resources;
const deployment = read("deployment.yaml");
const service = read("service.yaml");
const pod = deployment.spec.template.spec;
const [container] = pod.containers;
const page = readFileSync("docs/kubernetes.md", "utf8");

/** The variables of the container. */
const variables: Readonly<Record<string, string | undefined>> = {
  ...parseEnv(readFileSync(join(DIRECTORY, "settings.env"), "utf8")),
  ...Object.fromEntries(container.env.map(({ name, value }: Manifest) => [name, value])),
};

/** Returns the problems of a manifest by the schema of its type. A field that the validator does not read is unknown. */
function problemsOf(manifest: Manifest): string[] {
  const model = models.find(
    ({ apiVersion, kind }) => apiVersion === manifest.apiVersion && kind === manifest.kind,
  );
  if (!model) return [`${manifest.apiVersion} has no ${manifest.kind}`];
  const fields = new Set<string>();
  try {
    model.prototype.validate.call(recordReads(manifest, fields));
  } catch (error) {
    return [String(error)];
  }
  return pathsOf(manifest)
    .filter((path) => !fields.has(path))
    .map((path) => `${path} is unknown`);
}

/** Returns a view of a value. The paths of the fields that are read are added to the set. */
function recordReads(value: Manifest, fields: Set<string>, path = ""): Manifest {
  if (Object(value) !== value) return value;
  return new Proxy(value, {
    get(target, key) {
      const field = `${path}/${String(key)}`;
      fields.add(field);
      return recordReads(target[key], fields, field);
    },
  });
}

function pathsOf(value: Manifest, path = ""): string[] {
  if (Object(value) !== value) return [];
  return Object.keys(value).flatMap((key) => [`${path}/${key}`, ...pathsOf(value[key], `${path}/${key}`)]);
}

describe("The manifests of ops/kubernetes", () => {
  it.each(manifests)("are valid by the schemas of Kubernetes and of the Prometheus Operator: %s", (name) => {
    expect(problemsOf(read(name))).toEqual([]);
  });

  it("are all listed in kustomization.yaml, with the settings", () => {
    const [{ envs }, ...others] = kustomization.configMapGenerator;
    expect([...manifests, ...envs, "kustomization.yaml"].sort()).toEqual(readdirSync(DIRECTORY).sort());
    expect(others).toEqual([]);
  });

  it("get their namespace, the image and the settings from kustomization.yaml", () => {
    expect(kustomization).toEqual({
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      namespace: "piopiy",
      resources: manifests,
      configMapGenerator: [{ name: container.envFrom[0].configMapRef.name, envs: ["settings.env"] }],
      images: [{ name: container.image, newName: expect.any(String), newTag: expect.any(String) }],
    });
    expect(manifests.map((name) => read(name).metadata.namespace)).toEqual(manifests.map(() => undefined));
  });

  it("select the pods of the deployment, and the service", () => {
    const { labels } = deployment.spec.template.metadata;
    const selectors = [
      deployment.spec.selector.matchLabels,
      pod.topologySpreadConstraints[0].labelSelector.matchLabels,
      service.spec.selector,
      read("disruption-budget.yaml").spec.selector.matchLabels,
      read("network-policy.yaml").spec.podSelector.matchLabels,
      read("service-monitor.yaml").spec.selector.matchLabels,
      service.metadata.labels,
    ];
    expect(selectors).toEqual(selectors.map(() => labels));
    const { apiVersion, kind } = deployment;
    expect(read("autoscaler.yaml").spec.scaleTargetRef).toEqual({ apiVersion, kind, name: NAME });
    expect(manifests.map((name) => read(name).metadata.name)).toEqual(manifests.map(() => NAME));
  });

  it("use the ports on which the gateway listens", () => {
    const names: string[] = container.ports.map(({ name }: Manifest) => name);
    const ports = container.ports.map(({ containerPort }: Manifest) => String(containerPort));
    expect(ports).toEqual([variables.PORT, variables.METRICS_PORT]);
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe];
    const ingress = read("network-policy.yaml").spec.ingress.flatMap(({ ports }: Manifest) => ports);
    const used = [
      ...probes.map(({ httpGet }) => httpGet.port),
      ...service.spec.ports.map(({ targetPort }: Manifest) => targetPort),
      ...ingress.map(({ port }: Manifest) => port),
    ];
    expect([...new Set(used)].sort()).toEqual(names.sort());
    const [endpoint] = read("service-monitor.yaml").spec.endpoints;
    expect(service.spec.ports).toContainEqual(
      expect.objectContaining({ name: endpoint.port, targetPort: "metrics" }),
    );
  });

  it("set variables that docs/configuration.md lists, and secrets by file", () => {
    const rows = readFileSync("docs/configuration.md", "utf8").matchAll(/^\| `([A-Z_]+)` \|/gm);
    const secretFiles = fileVariables.map((name) => `${name}_FILE`);
    const names = [...[...rows].map(([, name]) => name), ...secretFiles];
    expect(Object.keys(variables).filter((name) => !names.includes(name))).toEqual([]);
    expect(fileVariables.filter((name) => name in variables)).toEqual([]);
    const paths = secretFiles.flatMap((name) => variables[name] ?? []);
    const [mount] = container.volumeMounts;
    expect(paths.map((path) => dirname(path))).toEqual(paths.map(() => mount.mountPath));
    expect(pod.volumes).toMatchObject([{ name: mount.name, secret: { secretName: NAME } }]);
    const keys = [...page.matchAll(/--from-file=([\w-]+)/g)].map(([, key = ""]) =>
      join(mount.mountPath, key),
    );
    expect([...new Set(keys)].sort()).toEqual(paths.sort());
  });

  it("allow more time for the shutdown than the gateway takes", () => {
    const [, drainMs = ""] = /GRACE_MS = ([\d_]+)/.exec(readFileSync("src/main.ts", "utf8")) ?? [];
    const shutdownMs = Number(variables.SHUTDOWN_DELAY_MS) + Number(drainMs.replace("_", ""));
    expect(shutdownMs).toBeGreaterThan(15_000);
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(shutdownMs);
  });

  it("meet the Pod Security Standard restricted, with a read-only root file system", () => {
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(Object.keys(pod).filter((name) => /^(host|initContainers|ephemeral)/.test(name))).toEqual([]);
    expect(pod.containers.map(({ securityContext }: Manifest) => securityContext)).toEqual([
      { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    ]);
  });

  it("request the CPU time to which the autoscaler refers", () => {
    expect(read("autoscaler.yaml").spec.metrics).toMatchObject([
      { type: "Resource", resource: { name: "cpu" } },
    ]);
    expect(container.resources.requests.cpu).toBe("500m");
  });
});

it.each<[string, string, (manifest: Manifest) => unknown, string]>([
  [
    "a wrong type",
    "deployment.yaml",
    ({ spec }) => (spec.replicas = "two"),
    "data/spec/replicas must be integer",
  ],
  [
    "a missing field",
    "deployment.yaml",
    ({ spec }) => delete spec.selector,
    "must have required property selector",
  ],
  [
    "an unknown field",
    "deployment.yaml",
    ({ spec }) => (spec.template.spec.containers[0].healthProbe = {}),
    "/spec/template/spec/containers/0/healthProbe is unknown",
  ],
  [
    "an unknown field of the Prometheus Operator",
    "service-monitor.yaml",
    ({ spec }) => (spec.endpoints[0].url = "/metrics"),
    "/spec/endpoints/0/url is unknown",
  ],
  [
    "a value that is not allowed",
    "service-monitor.yaml",
    ({ spec }) => (spec.endpoints[0].interval = "often"),
    "data/spec/endpoints/0/interval must match pattern",
  ],
  [
    "an unknown version",
    "autoscaler.yaml",
    (manifest) => (manifest.apiVersion = "autoscaling/v2beta2"),
    "autoscaling/v2beta2 has no HorizontalPodAutoscaler",
  ],
])("The schemas reject a manifest with %s", (_, name, change, problem) => {
  const manifest = read(name);
  change(manifest);
  expect(problemsOf(manifest)).toEqual([expect.stringContaining(problem)]);
});

describe("docs/kubernetes.md", () => {
  const [rule, autoscaler] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = ""]) => parse(text));

  it("has a valid autoscaler that differs from autoscaler.yaml in the metric", () => {
    expect(problemsOf(autoscaler)).toEqual([]);
    const { metrics } = autoscaler.spec;
    const expected = read("autoscaler.yaml");
    expected.spec.metrics = metrics;
    expect(autoscaler).toEqual(expected);
    const [{ name, seriesQuery }] = rule.rules.custom;
    expect(metrics).toMatchObject([{ type: "Pods", pods: { metric: { name: name.as } } }]);
    const [, metric] = /^(\w+)_count\{/.exec(seriesQuery) ?? [];
    expect(readFileSync("docs/operations.md", "utf8")).toContain(`| \`${metric}\` |`);
  });
});

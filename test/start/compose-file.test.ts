import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { baseImages, type Service, services } from "./compose.js";

const profiles = {
  none: ["emulator", "gateway"],
  scaled: ["balancer", "emulator", "gateway", "gateway-1", "gateway-2", "gateway-3", "redis"],
  federated: ["employees", "emulator", "gateway", "router"],
  observed: ["emulator", "gateway", "grafana", "prometheus"],
};
const hasDockerCompose = process.env.CI === "true" || spawnSync("docker-compose", ["version"]).status === 0;
if (!hasDockerCompose) {
  process.stderr.write(
    "Skipped: the tests of the compose file need Docker Compose (apt-get install docker-compose).\n",
  );
}

describe("The compose file", () => {
  (hasDockerCompose ? it : it.skip)("is valid", () => {
    const { status, stderr } = spawnSync("docker-compose", ["config", "--quiet"], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it.each(Object.entries(profiles))("with the profile %s starts its services", (profile, names) => {
    const isStarted = ([, { profiles = [profile] }]: [string, Service]) => profiles.includes(profile);
    expect(Array.from([...services].filter(isStarted), ([name]) => name).sort()).toEqual(names);
  });

  it("names a version of each image that it does not build, as the Dockerfile does", () => {
    const pulled = [...services.values()].filter(({ build }) => !build).map(({ image }) => image);
    expect([...pulled, ...baseImages].filter((image) => !/:v?\d+\.\d+/.test(image))).toEqual([]);
    expect([pulled.length, baseImages.length]).toEqual([5, 2]);
  });

  it("publishes ports on loopback only, each once", () => {
    const ports = [...services.values()].flatMap(({ ports = [] }) => ports);
    const published = ports.map((port) => /^127\.0\.0\.1:(\d+):\d+$/.exec(port)?.[1]);
    expect(published).not.toContain(undefined);
    expect(new Set(published).size).toBe(published.length);
  });

  it("starts each service when the services on which it depends are healthy", () => {
    for (const { depends_on = {}, profiles = [] } of services.values()) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const dependency = services.get(name);
        expect(condition).toBe("service_healthy");
        // The image of the gateway has a health check of its own.
        expect(dependency?.healthcheck ?? dependency?.image).toBeDefined();
        expect(dependency?.profiles ?? profiles).toEqual(profiles);
      }
    }
  });
});

describe("Grafana in the compose file", () => {
  const volumes = new Map(
    services
      .get("grafana")
      ?.volumes?.map((volume) => volume.split(":").slice(0, 2).reverse() as [string, string]),
  );
  const provisioning = volumes.get("/etc/grafana/provisioning");
  const read = (path: string) => parse(readFileSync(`${provisioning}/${path}`, "utf8"));

  it("has the dashboard in the directory from which it is provisioned, and as the home page", () => {
    const [{ options }] = read("dashboards/dashboards.yml").providers;
    const dashboard = `${options.path}/dashboard.json`;
    expect(existsSync(String(volumes.get(dashboard)))).toBe(true);
    expect(services.get("grafana")?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(dashboard);
  });

  it("reads from the Prometheus in the compose file", () => {
    const [{ url, uid }] = read("datasources/prometheus.yml").datasources;
    const port = services.get("prometheus")?.ports?.[0]?.split(":").at(-1);
    expect(url).toBe(`http://prometheus:${port}`);
    const dashboard = readFileSync(String(volumes.get("/var/lib/grafana/dashboards/dashboard.json")), "utf8");
    const sources = Array.from(
      dashboard.matchAll(/"type": "prometheus",\s+"uid": "(\w+)"/g),
      ([, name]) => name,
    );
    expect(new Set(sources)).toEqual(new Set([uid]));
  });
});

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { type Program, startProgram } from "../support/program.js";
import { until } from "../support/until.js";
import { type Container, Containers } from "./containers.js";
import { Network } from "./network.js";

export interface Service {
  readonly image: string;
  readonly build?: string | { readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  /** Published ports: `address:port:port of the container`. */
  readonly ports?: readonly string[];
  readonly networks?: { readonly default: { readonly ipv4_address: string } };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly profiles?: readonly string[];
}

/** The services of docker-compose.yml by their names. */
export const services: ReadonlyMap<string, Service> = new Map(
  Object.entries(parse(readFileSync("docker-compose.yml", "utf8"), { merge: true }).services),
);

/** The images that the Dockerfile is based on. */
export const baseImages = Array.from(
  readFileSync("Dockerfile", "utf8").matchAll(/^FROM (node:\S+)/gm),
  ([, image = ""]) => `docker.io/library/${image}`,
);

const [debian = ""] = baseImages;
/** Debian packages with the programs of the services whose images are not pulled. */
const packages = ["haproxy", "prometheus", "redis-server", "wget"];
/** Replaces the parts of these images that are not Debian packages. The router is a package of the tests. */
const replacements: Readonly<Record<string, Replacement>> = {
  prometheus: { entryPoint: ["prometheus"] },
  router: {
    entryPoint: ["node", "/app/serve.js"],
    volumes: ["test/support/router/serve.js:/app/serve.js:ro", "node_modules:/app/node_modules:ro"],
    workingDirectory: "/gateway",
  },
};

interface Replacement {
  readonly entryPoint: readonly string[];
  readonly volumes?: readonly string[];
  readonly workingDirectory?: string;
}

/** Service that has been started. */
interface RunningService {
  readonly container: Container;
  readonly program: Program;
  /** Sends SIGTERM, as `docker compose stop` does. Returns the exit code. */
  stop(): Promise<unknown>;
}

/** Returns the image in which a service runs: its own one if the Dockerfile builds it, else Debian. */
function imageOf({ image, build }: Service): string {
  return build ? `localhost/${image}` : debian;
}

/** Starts services of docker-compose.yml: each with the command, the environment, the volumes and the address in this file. */
export class Compose {
  readonly containers: Containers;
  readonly #network: Network;
  readonly #running = new Map<string, Promise<RunningService>>();
  /** Options of curl for the published ports. */
  readonly #ports: readonly string[];

  private constructor(network: Network, containers: Containers, addresses: ReadonlyMap<string, string>) {
    this.#network = network;
    this.containers = containers;
    this.#ports = [...services].flatMap(([name, { ports = [] }]) =>
      ports.flatMap((published) => {
        const [address, port, target] = published.split(":");
        return ["--connect-to", `${address}:${port}:${addresses.get(name)}:${target}`];
      }),
    );
  }

  /** Creates the network. */
  static async create(): Promise<Compose> {
    const addresses = new Map(
      Array.from(services, ([name, { networks }], index) => [
        name,
        networks?.default.ipv4_address ?? `10.131.207.${130 + index}`,
      ]),
    );
    const network = await Network.create("10.131.207.1", addresses);
    const hosts = Array.from(addresses, (entry) => entry.join(":"));
    const containers = await Containers.create(network, hosts);
    return new Compose(network, containers, addresses);
  }

  /** Builds the images. */
  async build(): Promise<void> {
    const [node = ""] = /\d+\.\d+/.exec(debian) ?? [];
    await this.containers.createBaseImage(node, packages, baseImages);
    const built = new Map(
      [...services.values()].flatMap(({ image, build }) => (build ? [[image, build] as const] : [])),
    );
    for (const [image, build] of built) {
      await this.containers.build(`localhost/${image}`, typeof build === "object" ? build.target : undefined);
    }
  }

  /** Starts a service after the services on which it depends, if it does not run, and waits until it is healthy. */
  up(name: string): Promise<RunningService> {
    const running = this.#running.get(name) ?? this.#start(name);
    this.#running.set(name, running);
    return running;
  }

  /** Starts curl with these arguments. It reaches the published ports, like a program on the machine of the containers. */
  async curl(...args: readonly string[]): Promise<Program> {
    const command = [...(await this.#network.inside()), "curl", "--silent", "--noproxy", "*"];
    return startProgram([...command, ...this.#ports, ...args], process.env as Record<string, string>);
  }

  /** Sends a request to a published port. Returns the body of a 2xx response, else undefined. */
  async request(url: string, body?: object): Promise<string | undefined> {
    const post = body ? ["-H", "content-type: application/json", "-d", JSON.stringify(body)] : [];
    const { end, output } = await this.curl("--fail", "--max-time", "30", ...post, url);
    return (await end) === 0 ? output.stdout : undefined;
  }

  /** Ends all programs. */
  async stop(): Promise<void> {
    await this.#network.stop();
    this.#running.clear();
  }

  /** Ends all programs, and removes the network and the images. */
  async remove(): Promise<void> {
    await this.stop();
    await this.#network.remove();
    await this.containers.remove();
  }

  async #start(name: string): Promise<RunningService> {
    const service = services.get(name);
    if (!service) throw new Error(`docker-compose.yml has no service ${name}.`);
    await Promise.all(Object.keys(service.depends_on ?? {}).map((dependency) => this.up(dependency)));
    const image = imageOf(service);
    const config = service.build ? await this.containers.inspect(image) : undefined;
    const { entryPoint = [], volumes = [], workingDirectory } = replacements[name] ?? {};
    const container = await this.containers.from(image, {
      host: name,
      environment: service.environment,
      volumes: [...(service.volumes ?? []), ...volumes].map((volume) => resolve(volume)),
      workingDirectory,
      isReadOnly: service.read_only,
    });
    const command = [...entryPoint, ...(service.command ?? config?.Cmd ?? [])];
    const program = container.start(command);
    const [, ...check] = service.healthcheck?.test ?? config?.Healthcheck?.Test ?? [];
    await until(async () => program.child.exitCode !== null || (await container.exec(check)) === 0);
    if (program.child.exitCode !== null) {
      throw new Error(`The service ${name} has exited:\n${program.output.stdout}${program.output.stderr}`);
    }
    return {
      container,
      program,
      stop: async () => {
        this.#running.delete(name);
        await container.signal(command, "SIGTERM");
        return program.end;
      },
    };
  }
}

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const PROGRAMS = ["/usr/bin/buildah", "/usr/sbin/debootstrap", "/usr/sbin/ip"];
/** Address of all containers, in addition to loopback. */
const ADDRESS = "10.89.0.2";

/** Whether images can be built and run. Always true when `CI=true`: there the tests fail if a program is missing. */
export const hasContainers =
  process.env.CI === "true" || (process.getuid?.() === 0 && PROGRAMS.every((path) => existsSync(path)));

/** Runs a program to its end, and returns its standard output. */
async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 100_000_000, timeout: 1_200_000 });
  return stdout.trim();
}

export interface Container {
  /** Runs a program in the container to its end, and returns the exit code. */
  exec(program: readonly string[], env: Readonly<Record<string, string>>): Promise<number>;
  /** Starts a program in the container. Its standard error is that of this process. */
  start(program: readonly string[], env: Readonly<Record<string, string>>): void;
}

export interface ContainerOptions {
  /** Further host names for the address of the containers, like the service names in a compose network. */
  readonly hosts?: readonly string[];
  /** Mounted files: `source:target:ro`. */
  readonly volumes?: readonly string[];
  readonly workingDirectory?: string;
}

/**
 * Builds and runs images without a container engine and without a registry. The base image is built with debootstrap. All
 * containers share one network namespace, in which every port is free.
 */
export class Containers {
  readonly #directory: string;
  readonly #network: string;

  private constructor(directory: string) {
    this.#directory = directory;
    this.#network = `gateway-${process.pid}`;
  }

  static async create(): Promise<Containers> {
    const containers = new Containers(await mkdtemp(join(tmpdir(), "containers-")));
    await containers.#createNetwork();
    return containers;
  }

  /** Builds an image with Node.js, npm and this machine's npm settings, and tags it with these names. */
  async createBaseImage(version: number, names: readonly string[]): Promise<void> {
    const container = await this.#buildah("from", "scratch");
    const root = await this.#buildah("mount", container);
    const packages = join(this.#directory, "packages");
    await Promise.all([
      run("debootstrap", "--variant=minbase", "bookworm", root),
      run("npm", "install", "--prefix", packages, "--no-save", "--no-fund", `node@${version}`, "npm@11"),
    ]);
    await cp(join(packages, "node_modules/node/bin/node"), join(root, "usr/local/bin/node"));
    await cp(join(packages, "node_modules/npm"), join(root, "usr/local/lib/node_modules/npm"), {
      recursive: true,
    });
    await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
    await appendFile(join(root, "etc/passwd"), "node:x:1000:1000::/home/node:/bin/sh\n");
    await appendFile(join(root, "etc/group"), "node:x:1000:\n");
    const registry = await run("npm", "config", "get", "registry");
    const authority = process.env.NODE_EXTRA_CA_CERTS ?? (await run("npm", "config", "get", "cafile"));
    await appendFile(join(root, "root/.npmrc"), `registry=${registry}\n`);
    if (existsSync(authority)) {
      await mkdir(join(root, dirname(authority)), { recursive: true });
      await cp(authority, join(root, authority), { dereference: true });
      await this.#buildah("config", "--env", `NODE_EXTRA_CA_CERTS=${authority}`, container);
    }
    const [first = "", ...others] = names;
    await this.#buildah("commit", "--quiet", container, first);
    if (others.length > 0) await this.#buildah("tag", first, ...others);
    await this.#buildah("rm", container);
  }

  /** Builds a stage of the Dockerfile, by default the last one. */
  async build(name: string, target?: string): Promise<void> {
    const cache = await run("npm", "config", "get", "cache");
    await this.#buildah(
      ...[
        "bud",
        "--isolation",
        "chroot",
        "--network",
        "host",
        "--pull-never",
        "--format",
        "docker",
        "--quiet",
      ],
      ...["--volume", `${cache}:/root/.npm`, ...(target ? ["--target", target] : []), "--tag", name, "."],
    );
  }

  /** Returns the configuration of an image. */
  async inspect(image: string): Promise<ImageConfig> {
    return JSON.parse(await this.#buildah("inspect", "--type", "image", image)).Docker.config;
  }

  async from(image: string, options: ContainerOptions = {}): Promise<Container> {
    const { hosts = [], volumes = [], workingDirectory } = options;
    const names = hosts.flatMap((host) => ["--add-host", `${host}:${ADDRESS}`]);
    const container = await this.#buildah("from", "--pull-never", ...names, image);
    const command = (program: readonly string[], env: Readonly<Record<string, string>>) => [
      ...["netns", "exec", this.#network, ...this.#buildahCommand(), "run", "--isolation", "chroot"],
      ...["--network", "host", ...volumes.flatMap((volume) => ["--volume", volume])],
      ...(workingDirectory ? ["--workingdir", workingDirectory] : []),
      ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...[container, "--", ...program],
    ];
    return {
      exec: (program, env) =>
        run("ip", ...command(program, env)).then(
          () => 0,
          ({ code }) => code,
        ),
      start(program, env) {
        spawn("ip", command(program, env), { stdio: ["ignore", "ignore", "inherit"] });
      },
    };
  }

  /** Sends a request in the containers' network. Returns the body of a 2xx response, else undefined. */
  request(url: string, body?: object): Promise<string | undefined> {
    const post = body ? ["-H", "content-type: application/json", "-d", JSON.stringify(body)] : [];
    const curl = ["curl", "--silent", "--fail", "--max-time", "10", "--noproxy", "*", ...post, url];
    return run("ip", "netns", "exec", this.#network, ...curl).catch(() => undefined);
  }

  /** Ends all processes in the containers' network. */
  async stop(): Promise<void> {
    for (;;) {
      const pids = await run("ip", "netns", "pids", this.#network);
      if (pids === "") return;
      for (const pid of pids.split("\n")) {
        try {
          process.kill(Number(pid), "SIGKILL");
        } catch {
          // The process has already exited.
        }
      }
    }
  }

  /** Ends all processes, and removes the network, the containers and the images. */
  async remove(): Promise<void> {
    await this.stop();
    await run("ip", "netns", "delete", this.#network);
    await this.#buildah("rm", "--all");
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #createNetwork(): Promise<void> {
    const ip = (...args: string[]) => run("ip", "-netns", this.#network, ...args);
    await run("ip", "netns", "add", this.#network);
    await ip("link", "set", "lo", "up");
    await ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
    await ip("address", "add", `${ADDRESS}/24`, "dev", "eth0");
    for (const device of ["eth0", "eth1"]) await ip("link", "set", device, "up");
  }

  #buildahCommand(): string[] {
    const directory = (name: string) => join(this.#directory, name);
    return [
      ...["buildah", "--storage-driver", "vfs"],
      ...["--root", directory("root"), "--runroot", directory("run")],
    ];
  }

  #buildah(...args: string[]): Promise<string> {
    const [program = "", ...settings] = this.#buildahCommand();
    return run(program, ...settings, ...args);
  }
}

interface ImageConfig {
  readonly User: string;
  readonly Cmd: readonly string[];
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

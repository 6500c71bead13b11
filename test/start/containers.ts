import { existsSync } from "node:fs";
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Program, startProgram } from "../support/program.js";
import { type Network, run } from "./network.js";

const PROGRAMS = ["/usr/bin/buildah", "/usr/bin/mmdebstrap", "/usr/sbin/ip"];
/** Script that makes the container's files read-only, then starts the command in its arguments as a user, the first argument. */
const READ_ONLY = 'mount -o remount,bind,ro / && exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"';

/** Whether images can be built and run. Always true when `CI=true`: there the tests fail if a program is missing. */
export const hasContainers =
  process.env.CI === "true" || (process.getuid?.() === 0 && PROGRAMS.every((path) => existsSync(path)));

export interface Container {
  /** Runs a program in the container to its end, and returns the exit code. */
  exec(program: readonly string[]): Promise<number>;
  /** Starts a program in the container. */
  start(program: readonly string[]): Program;
  /** Sends a signal to the programs that have been started with this command. */
  signal(program: readonly string[], signal: NodeJS.Signals): Promise<void>;
}

export interface ContainerOptions {
  /** Name of the container in the network. */
  readonly host: string;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Mounted files and directories: `source:target:ro`, with an absolute path as the source. */
  readonly volumes?: readonly string[];
  readonly workingDirectory?: string | undefined;
  /** Whether no program can write to the container's own files. */
  readonly isReadOnly?: boolean | undefined;
}

/**
 * Builds and runs images without a container engine and without a registry. The base image is built with mmdebstrap. Containers of
 * the same image share their files.
 */
export class Containers {
  readonly #directory: string;
  readonly #network: Network;
  readonly #hosts: readonly string[];
  /** The working container of each image. */
  readonly #files = new Map<string, Promise<string>>();

  private constructor(directory: string, network: Network, hosts: readonly string[]) {
    this.#directory = directory;
    this.#network = network;
    this.#hosts = hosts;
  }

  /** @param hosts entries `name:address` that each container resolves */
  static async create(network: Network, hosts: readonly string[]): Promise<Containers> {
    return new Containers(await mkdtemp(join(tmpdir(), "containers-")), network, hosts);
  }

  /** Builds an image with Node.js, npm, this machine's npm settings and Debian packages, and tags it with these names. */
  async createBaseImage(node: string, packages: readonly string[], names: readonly string[]): Promise<void> {
    const container = await this.#buildah("from", "scratch");
    const root = await this.#buildah("mount", container);
    const modules = join(this.#directory, "packages");
    await Promise.all([
      run(
        "mmdebstrap",
        "--variant=minbase",
        "--dpkgopt=force-unsafe-io",
        `--include=${packages}`,
        "bookworm",
        root,
      ),
      run("npm", "install", "--prefix", modules, "--no-save", "--no-fund", `node@${node}`, "npm@11"),
    ]);
    await cp(join(modules, "node_modules/node/bin/node"), join(root, "usr/local/bin/node"));
    await cp(join(modules, "node_modules/npm"), join(root, "usr/local/lib/node_modules/npm"), {
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
        "--layers",
      ],
      ...["--volume", `${cache}:/root/.npm`, ...(target ? ["--target", target] : []), "--tag", name, "."],
    );
  }

  /** Returns the configuration of an image. */
  async inspect(image: string): Promise<ImageConfig> {
    return JSON.parse(await this.#buildah("inspect", "--type", "image", image)).Docker.config;
  }

  /** Returns the size of a directory of an image, in megabytes. */
  async measure(image: string, directory: string): Promise<number> {
    const output = await run(
      "du",
      "--summarize",
      "--block-size=1000",
      join(await this.#rootOf(image), directory),
    );
    return Number.parseInt(output, 10) / 1000;
  }

  async from(image: string, options: ContainerOptions): Promise<Container> {
    const { host, environment = {}, volumes = [], workingDirectory, isReadOnly = false } = options;
    const files = await this.#filesOf(image);
    const inNetwork = await this.#network.inside(host);
    const user = (await this.inspect(image)).User || "root";
    const inContainer = [
      ...[...this.#buildahCommand(), "run", "--isolation", "chroot", "--network", "host"],
      ...volumes.flatMap((volume) => ["--volume", volume]),
      ...(workingDirectory ? ["--workingdir", workingDirectory] : []),
      ...(isReadOnly ? ["--user", "root", "--cap-add", "CAP_SYS_ADMIN"] : []),
      ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...[files, "--", ...(isReadOnly ? ["sh", "-c", READ_ONLY, user] : [])],
    ];
    const start = (program: readonly string[]) => this.#run([...inNetwork, ...inContainer, ...program]);
    return {
      exec: async (program) => Number(await start(program).end),
      start,
      signal: async (program, signal) => {
        const commandLine = program.map((argument) => `${argument}\0`).join("");
        for (const pid of await this.#network.pidsOf(host)) {
          // A process of an earlier check may have exited.
          const its = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
          if (its === commandLine) process.kill(pid, signal);
        }
      },
    };
  }

  /** Removes the containers and the images. */
  async remove(): Promise<void> {
    await this.#buildah("rm", "--all");
    await rm(this.#directory, { recursive: true, force: true });
  }

  #filesOf(image: string): Promise<string> {
    const files = this.#files.get(image) ?? this.#createFiles(image);
    this.#files.set(image, files);
    return files;
  }

  async #createFiles(image: string): Promise<string> {
    const hosts = this.#hosts.flatMap((host) => ["--add-host", host]);
    const files = await this.#buildah("from", "--pull-never", ...hosts, image);
    // Else the end of one program would unmount the files while another one starts.
    await this.#buildah("mount", files);
    return files;
  }

  async #rootOf(image: string): Promise<string> {
    return this.#buildah("mount", await this.#filesOf(image));
  }

  #run(command: readonly string[]): Program {
    return startProgram(command, process.env as Record<string, string>);
  }

  #buildahCommand(): string[] {
    const directory = (name: string) => join(this.#directory, name);
    return ["buildah", "--root", directory("root"), "--runroot", directory("run")];
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

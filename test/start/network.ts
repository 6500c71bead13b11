import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs a program to its end, and returns its standard output. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { maxBuffer: 100_000_000, timeout: 1_200_000 });
  return stdout.trim();
}

/** A network whose members have a network namespace each, with an own address, in which every port is free. */
export class Network {
  readonly #name = `gateway-${process.pid}`;
  /** Addresses of the members by their names. */
  readonly #addresses: ReadonlyMap<string, string>;
  readonly #namespaces = new Map<string, Promise<string>>();

  private constructor(addresses: ReadonlyMap<string, string>) {
    this.#addresses = addresses;
  }

  /**
   * Creates a network.
   *
   * @param address address of this machine in the network
   * @param addresses addresses of the members by their names; all are in the same /24 network
   */
  static async create(address: string, addresses: ReadonlyMap<string, string>): Promise<Network> {
    const network = new Network(addresses);
    const ip = (...args: string[]) => run("ip", "-netns", network.#name, ...args);
    await run("ip", "netns", "add", network.#name);
    await ip("link", "add", "bridge", "type", "bridge");
    await ip("address", "add", `${address}/24`, "dev", "bridge");
    for (const device of ["lo", "bridge"]) await ip("link", "set", device, "up");
    return network;
  }

  /** Returns the start of a command that runs in the namespace of a member, or in that of this machine. */
  async inside(member?: string): Promise<string[]> {
    return ["ip", "netns", "exec", member === undefined ? this.#name : await this.#namespaceOf(member)];
  }

  /** Returns the ids of all processes of a member. */
  async pidsOf(member: string): Promise<number[]> {
    return pidsIn(await this.#namespaceOf(member));
  }

  /** Ends all processes in the network. */
  async stop(): Promise<void> {
    for (const namespace of await this.#all()) {
      for (let pids = await pidsIn(namespace); pids.length > 0; pids = await pidsIn(namespace)) {
        for (const pid of pids) {
          try {
            process.kill(pid, "SIGKILL");
          } catch {
            // The process has already exited.
          }
        }
      }
    }
  }

  /** Removes the network, after all its processes have ended. */
  async remove(): Promise<void> {
    for (const namespace of await this.#all()) await run("ip", "netns", "delete", namespace);
  }

  async #all(): Promise<string[]> {
    return [this.#name, ...(await Promise.all(this.#namespaces.values()))];
  }

  #namespaceOf(member: string): Promise<string> {
    const namespace = this.#namespaces.get(member) ?? this.#connect(member);
    this.#namespaces.set(member, namespace);
    return namespace;
  }

  /** Creates the namespace of a member, and connects it with the network. */
  async #connect(member: string): Promise<string> {
    const namespace = `${this.#name}-${member}`;
    const port = `port${this.#namespaces.size}`;
    const ip = (...args: string[]) => run("ip", "-netns", namespace, ...args);
    await run("ip", "netns", "add", namespace);
    await ip("link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", this.#name);
    await ip("address", "add", `${this.#addresses.get(member)}/24`, "dev", "eth0");
    for (const device of ["lo", "eth0"]) await ip("link", "set", device, "up");
    await run("ip", "-netns", this.#name, "link", "set", port, "master", "bridge", "up");
    return namespace;
  }
}

async function pidsIn(namespace: string): Promise<number[]> {
  const output = await run("ip", "netns", "pids", namespace);
  return output === "" ? [] : output.split("\n").map(Number);
}

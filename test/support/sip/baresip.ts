import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../program.js";
import { until } from "../until.js";
import { type LoopbackNetwork, OTHER_ADDRESS, OTHER_INTERFACE } from "./loopback-network.js";

const BARESIP = "/usr/bin/baresip";

/** Whether tests that need baresip can run. Always true when `CI=true`: there they fail without baresip. */
export const hasBaresip = process.env.CI === "true" || existsSync(BARESIP);

/** Numbers of media packets of a call. */
export interface Packets {
  readonly sent: number;
  readonly received: number;
}

/** The softphone baresip, with made-up sound and pictures. */
export class Baresip {
  readonly #program: ReturnType<typeof startProgram>;
  readonly #directory = mkdtempSync(join(tmpdir(), "baresip-"));
  /** What it has printed since the last match of `sees`, on both of its outputs. */
  #unseen = "";

  /**
   * Starts baresip in a network. `killPrograms` kills it.
   *
   * @param account `sip:` address of the endpoint with the transport
   * @param port SIP port of the phone; the next port is used too
   */
  constructor(network: LoopbackNetwork, account: string, password: string, port: number, hasCamera = false) {
    const modules = ["stdio", "opus", "g711", "ausine", "ice", "dtls_srtp"];
    if (hasCamera) modules.push("vp8", "fakevideo");
    const config = `
      sip_listen ${OTHER_ADDRESS}:${port}
      net_interface ${OTHER_INTERFACE}
      rtcp_mux yes
      rtp_stats yes
      audio_source ausine,440
      ausrc_channels 2
      video_source fakevideo,nil
      video_display fakevideo,nil
      video_size 320x240
      video_fps 10
      module_path /usr/lib/baresip/modules
      ${modules.map((name) => `module ${name}.so`).join("\n")}
      module_tmp account.so
      module_app menu.so
    `;
    const options = "medianat=ice;mediaenc=dtls_srtp;audio_codecs=opus/48000/2,pcmu;regint=600";
    writeFileSync(join(this.#directory, "config"), config.replaceAll(/^ +/gm, ""));
    writeFileSync(join(this.#directory, "accounts"), `<${account}>;auth_pass=${password};${options}\n`);
    writeFileSync(join(this.#directory, "contacts"), "");
    // Into a pipe, it would print only when its buffer is full. Without the tests, its standard input ends, and it uses a whole
    // processor core until its limit of CPU time, in seconds.
    const command = ["stdbuf", "-o0", "prlimit", "--cpu=60", BARESIP, "-f", this.#directory];
    this.#program = startProgram(network.inside(command), { TERM: "dumb" });
    for (const stream of [this.#program.child.stdout, this.#program.child.stderr]) {
      stream?.on("data", (data) => {
        this.#unseen += data;
      });
    }
    this.#program.child.stdin?.on("error", () => {});
    this.#program.end.then(() => rmSync(this.#directory, { recursive: true }));
  }

  /** Gives a command of its menu, such as `/dial bob`. */
  command(line: string): void {
    this.#program.child.stdin?.write(`${line}\n`);
  }

  /** Waits until its output, after what was seen before, matches, and returns the match. */
  async sees(pattern: RegExp): Promise<RegExpExecArray> {
    const { output, child } = this.#program;
    let match: RegExpExecArray | null = null;
    try {
      await until(() => {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error("baresip has ended.");
        match = pattern.exec(this.#unseen);
        return match !== null;
      });
    } catch (cause) {
      throw new Error(`baresip does not print ${pattern}:\n${output.stdout}\n${output.stderr}`, { cause });
    }
    const found = match as unknown as RegExpExecArray;
    this.#unseen = this.#unseen.slice(found.index + found[0].length);
    return found;
  }

  /** Waits until the call has ended, and returns the numbers of media packets that baresip prints then, audio first. */
  async packets(kind: "audio" | "video"): Promise<Packets> {
    const [, sent, received] = await this.sees(
      new RegExp(`^${kind} +Transmit:.*\\n *packets: +(\\d+) +(\\d+)`, "m"),
    );
    return { sent: Number(sent), received: Number(received) };
  }
}

import type { Endpoints } from "./endpoints.js";
import type { Sbc } from "./sbc/sbc.js";
import type { EmulatorSettings } from "./settings.js";

/** Loads the SBC when it is used first: most starts of the emulator need only PIOPIY's API, and should stay quick. */
export class SbcLoader {
  private loading: Promise<Sbc> | undefined;
  private isClosed = false;

  constructor(
    private readonly settings: EmulatorSettings,
    private readonly endpoints: Endpoints,
  ) {}

  /** Returns the SBC. Rejects if the emulator is closed. */
  async load(): Promise<Sbc> {
    if (this.isClosed) throw new Error("The emulator is closed. Start it again.");
    this.loading ??= import("./sbc/sbc.js").then(({ Sbc }) => new Sbc(this.settings, this.endpoints));
    return this.loading;
  }

  /** Returns the SBC if something has used it, else undefined. */
  get loaded(): Promise<Sbc> | undefined {
    return this.loading;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await (await this.loading)?.close();
  }
}

import type { CallRecord } from "./call-record.js";
import type { Endpoints } from "./endpoints.js";
import type { Faults } from "./faults.js";
import type { EmulatorSettings } from "./settings.js";

/** What the routes of one emulator share. */
export interface EmulatorState {
  readonly settings: EmulatorSettings;
  readonly endpoints: Endpoints;
  readonly calls: CallRecord;
  readonly faults: Faults;
}

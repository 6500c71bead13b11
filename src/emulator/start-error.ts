/** The emulator cannot start; the message says why and what to change. */
export class EmulatorStartError extends Error {}

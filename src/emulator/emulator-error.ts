/** Something outside the emulator is in its way; the message says what, and what to change. */
export class EmulatorError extends Error {}

/** Frequencies in Hz, length of a sound and time from sound to sound in milliseconds. */
const tones = {
  incoming: { frequencies: [523, 659], soundMs: 900, periodMs: 2500 },
  outgoing: { frequencies: [425], soundMs: 1000, periodMs: 4000 },
};
const VOLUME = 0.06;
/** Seconds in which a sound begins and ends, so that it does not click. */
const FADE = 0.03;

/** Plays the sound of an incoming call, and the sound that a caller hears while the other phone rings. */
export class RingTone {
  #context: AudioContext | undefined;
  #output: GainNode | undefined;
  #timer: number | undefined;
  #name: keyof typeof tones | undefined;

  /** Prepares the sound. Browsers allow sound after a click or a key press only, so it is called from one. */
  prepare(): void {
    this.#context ??= new AudioContext();
    void this.#context.resume();
  }

  /** Plays a tone until the next call, or ends the current one if `name` is undefined. */
  play(name: keyof typeof tones | undefined): void {
    if (name === this.#name) return;
    this.#name = name;
    clearInterval(this.#timer);
    this.#output?.disconnect();
    const context = this.#context;
    if (!context || !name) return;
    const { frequencies, soundMs, periodMs } = tones[name];
    const output = new GainNode(context, { gain: VOLUME });
    output.connect(context.destination);
    this.#output = output;
    const sound = () => {
      const end = context.currentTime + soundMs / 1000;
      const envelope = new GainNode(context, { gain: 0 });
      envelope.gain.linearRampToValueAtTime(1, context.currentTime + FADE);
      envelope.gain.setValueAtTime(1, end - FADE);
      envelope.gain.linearRampToValueAtTime(0, end);
      envelope.connect(output);
      for (const frequency of frequencies) {
        const oscillator = new OscillatorNode(context, { frequency });
        oscillator.connect(envelope);
        oscillator.start();
        oscillator.stop(end);
      }
    };
    sound();
    this.#timer = setInterval(sound, periodMs);
  }
}

/** Plays pieces of 16-bit sound when the session's clock says so. */

const FADE_S = 0.01;
const SEAM_S = 0.005; // pieces nearer than this to each other belong together
const TOO_LATE_S = 0.02;

export class Sound {
  #context;
  #clock;
  #rateHz;
  #volume;
  #gain; // of what may be hushed together
  #endS = 0;

  /**
   * @param {AudioContext} context
   * @param {SessionClock} clock
   * @param {number} rateHz
   */
  constructor(context, clock, rateHz) {
    this.#context = context;
    this.#clock = clock;
    this.#rateHz = rateHz;
    this.#volume = new GainNode(context);
    this.#volume.connect(context.destination);
    this.#begin();
  }

  /** Whether something is heard, or will be. */
  get playing() {
    return this.#endS > this.#context.currentTime;
  }

  set muted(muted) {
    this.#volume.gain.value = muted ? 0 : 1;
  }

  /** @param {Uint8Array} payload 16-bit PCM, little-endian, mono */
  play(ptsUs, payload) {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    const buffer = new AudioBuffer({ length: payload.length / 2, sampleRate: this.#rateHz });
    const samples = buffer.getChannelData(0);
    for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;

    const nowS = this.#context.currentTime;
    if (this.#clock.timeOf(ptsUs) < nowS) {
      // It came too late: pictures and sound wait together.
      this.#clock.delay(nowS - this.#clock.timeOf(ptsUs) + TOO_LATE_S);
    }
    let startS = this.#clock.timeOf(ptsUs);
    if (Math.abs(startS - this.#endS) < SEAM_S) startS = this.#endS;
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    source.connect(this.#gain);
    source.start(startS);
    this.#endS = startS + buffer.duration;
  }

  /** Fall silent now, whatever was to come. */
  hush() {
    const nowS = this.#context.currentTime;
    const gain = this.#gain;
    gain.gain.setValueAtTime(1, nowS);
    gain.gain.linearRampToValueAtTime(0, nowS + FADE_S);
    setTimeout(() => gain.disconnect(), 1000 * (FADE_S + 0.1));
    this.#begin();
  }

  #begin() {
    this.#gain = new GainNode(this.#context);
    this.#gain.connect(this.#volume);
    this.#endS = 0;
  }
}

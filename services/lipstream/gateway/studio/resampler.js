/** Streaming change of a sampling rate: interpolation by a windowed sinc. */

const ZERO_CROSSINGS = 8; // of the kernel on each side, at the lower rate
const ROLL_OFF = 0.92; // of the lower rate: what lies above would fold back

export class Resampler {
  #step; // input samples for each output sample
  #cut; // pass band, as a part of the input's
  #reach; // input samples that count on each side
  #held = new Float32Array(0);
  #next; // place of the next output sample in what is held

  constructor(fromHz, toHz) {
    this.#step = fromHz / toHz;
    this.#cut = Math.min(1, (ROLL_OFF * toHz) / fromHz);
    this.#reach = Math.ceil(ZERO_CROSSINGS / this.#cut);
    this.#next = this.#reach;
    this.#held = new Float32Array(this.#reach); // silence before the beginning
  }

  /**
   * More samples in; those that are certain by now out.
   * @param {Float32Array} samples
   * @returns {Float32Array}
   */
  push(samples) {
    if (this.#step === 1) return samples;
    const held = new Float32Array(this.#held.length + samples.length);
    held.set(this.#held);
    held.set(samples, this.#held.length);
    const ready = [];
    for (; this.#next + this.#reach < held.length; this.#next += this.#step) {
      ready.push(this.#at(held, this.#next));
    }
    const spent = Math.floor(this.#next) - this.#reach;
    this.#held = held.slice(spent);
    this.#next -= spent;
    return Float32Array.from(ready);
  }

  #at(held, place) {
    const first = Math.ceil(place - this.#reach);
    const last = Math.floor(place + this.#reach);
    let sum = 0;
    for (let i = first; i <= last; i++) {
      const x = i - place;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (this.#reach + 1));
      const t = Math.PI * x * this.#cut;
      sum += held[i] * window * (t === 0 ? 1 : Math.sin(t) / t);
    }
    return sum * this.#cut;
  }
}

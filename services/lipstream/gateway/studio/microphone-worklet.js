/** In the audio thread: what the microphone hears, as pieces of 16-bit samples. */
import { Resampler } from "./resampler.js";

const PIECE_S = 0.02;

class MicrophonePieces extends AudioWorkletProcessor {
  #resampler;
  #piece;
  #filled = 0;

  constructor({ processorOptions: { rateHz } }) {
    super();
    this.#resampler = new Resampler(sampleRate, rateHz);
    this.#piece = new Int16Array(PIECE_S * rateHz);
  }

  process([[channel]]) {
    if (!channel) return true; // nothing is connected yet
    for (const sample of this.#resampler.push(channel)) {
      this.#piece[this.#filled++] = Math.round(32767 * Math.max(-1, Math.min(1, sample)));
      if (this.#filled === this.#piece.length) {
        this.port.postMessage(this.#piece.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone-pieces", MicrophonePieces);

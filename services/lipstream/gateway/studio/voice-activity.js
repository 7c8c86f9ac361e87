/** Whether somebody speaks, by the loudness of pieces of 20 ms over the noise of the room. */

const QUIETEST = 0.008; // root mean square, of 1
const OVER_NOISE = 3;
const NOISE_RISES = 1.01; // a piece
const PIECES_TO_BEGIN = 6;
const PIECES_TO_END = 35;

export class VoiceActivity {
  #noise = QUIETEST;
  #loud = 0;
  #quiet = 0;
  level = 0; // root mean square of the last piece
  speaking = false;
  began = false; // with the last piece
  ended = false;

  /** @param {Int16Array} piece */
  push(piece) {
    let power = 0;
    for (const sample of piece) power += (sample / 32768) ** 2;
    this.level = Math.sqrt(power / piece.length);
    const loud = this.level > Math.max(QUIETEST, OVER_NOISE * this.#noise);
    this.#noise = Math.max(1e-5, Math.min(this.level, this.#noise * NOISE_RISES));
    this.#loud = loud ? this.#loud + 1 : Math.max(0, this.#loud - 1);
    this.#quiet = loud ? 0 : this.#quiet + 1;
    this.began = !this.speaking && this.#loud >= PIECES_TO_BEGIN;
    this.ended = this.speaking && this.#quiet >= PIECES_TO_END;
    if (this.began) this.speaking = true;
    if (this.ended) {
      this.speaking = false;
      this.#loud = 0;
    }
  }
}

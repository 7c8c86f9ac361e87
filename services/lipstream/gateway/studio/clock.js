/** The session's clock on this machine: when, by the audio output, a moment is heard. */

const BUFFER_S = 0.06; // added to the server's own lead
const SNAP_S = 0.05;
const SMOOTHING = 0.05;

export class SessionClock {
  #context;
  #offsetS = null; // of the context's time over the session's
  #outputS = null; // of the output's time over the page's

  /** @param {AudioContext} context */
  constructor(context) {
    this.#context = context;
  }

  get started() {
    return this.#offsetS !== null;
  }

  /** Begin: the server's clock says `nowUs`. Later calls change nothing. */
  start(nowUs) {
    this.#offsetS ??= this.#context.currentTime - nowUs / 1e6 + BUFFER_S;
  }

  /** Everything is to be heard and seen so much later. */
  delay(seconds) {
    this.#offsetS += seconds;
  }

  /** When a moment is to be handed to the output, in the context's time. */
  timeOf(ptsUs) {
    return ptsUs / 1e6 + this.#offsetS;
  }

  /** The moment that is being heard now, microseconds of the session. */
  heardUs() {
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp();
    const pageS = performance.now() / 1000;
    const known = contextTime > 0 && performanceTime > 0;
    const outputS = known
      ? contextTime - performanceTime / 1000
      : this.#context.currentTime - (this.#context.outputLatency || 0) - pageS;
    // The output tells its time in steps of its buffer; pictures want it smooth.
    const wrongS = outputS - (this.#outputS ?? Infinity);
    this.#outputS = Math.abs(wrongS) > SNAP_S ? outputS : this.#outputS + SMOOTHING * wrongS;
    return (pageS + this.#outputS - this.#offsetS) * 1e6;
  }
}

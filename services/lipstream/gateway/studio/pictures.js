/** Decodes H.264 access units with WebCodecs. */
import { SideBySide } from "./side-by-side.js";

const PLAIN = "avc1.42E01F"; // constrained baseline, level 3.1
const MOST_WAITING = 50; // access units; a device that is so slow leaves pictures out
const SEQUENCE_PARAMETERS = 7; // type of a network abstraction layer unit

/** Why pictures cannot be decoded here; null where they can. */
export async function whyNoPictures() {
  if (!window.isSecureContext) {
    return "Browsers show live video only on https pages and on localhost. Open this page there.";
  }
  if (!("VideoDecoder" in window)) {
    return "This browser has no WebCodecs. Use Chrome, Edge, Safari 16.4 or Firefox 130, or later.";
  }
  const { supported } = await VideoDecoder.isConfigSupported({ codec: PLAIN });
  return supported ? null : "This browser was built without H.264. Use another one.";
}

/**
 * The codec string that the sequence parameter set of an access unit (Annex B) asks for;
 * null where it has none.
 */
export function codecOf(unit) {
  for (let i = 0; i + 6 < unit.length; i++) {
    const starts = unit[i] === 0 && unit[i + 1] === 0 && unit[i + 2] === 1;
    if (starts && (unit[i + 3] & 31) === SEQUENCE_PARAMETERS) {
      const parts = [...unit.subarray(i + 4, i + 7)];
      return `avc1.${parts.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    }
  }
  return null;
}

export class Pictures {
  #decoder = null;
  #sideBySide = false;
  #shown;
  #failed;

  /**
   * @param {(frame: VideoFrame | SideBySide) => void} shown takes decoded pictures, and closes them
   * @param {(error: Error) => void} failed
   */
  constructor(shown, failed) {
    this.#shown = shown;
    this.#failed = failed;
  }

  /** One access unit. Until one that needs no other has come, nothing is decoded. */
  decode({ ptsUs, keyframe, sideBySide, payload }) {
    if (sideBySide !== this.#sideBySide) this.#finish();
    if (this.#decoder?.decodeQueueSize > MOST_WAITING) this.restart();
    if (this.#decoder?.state !== "configured") {
      const codec = keyframe && codecOf(payload);
      if (!codec) return;
      this.#sideBySide = sideBySide;
      const output = (frame) => this.#shown(sideBySide ? new SideBySide(frame) : frame);
      this.#decoder = new VideoDecoder({ output, error: this.#failed });
      this.#decoder.configure({ codec, optimizeForLatency: true });
    }
    const type = keyframe ? "key" : "delta";
    this.#decoder.decode(new EncodedVideoChunk({ type, timestamp: ptsUs, data: payload }));
  }

  /** Pictures of another kind follow: what is under way is still shown. */
  #finish() {
    const old = this.#decoder;
    this.#decoder = null;
    if (old?.state === "configured") old.flush().then(() => old.close(), () => {}); // or it failed
  }

  /** Forget what is under way, and wait for a picture that needs no other. */
  restart() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }
}

/** The user's microphone as 16-bit pieces of 20 ms, and whether somebody speaks into it. */
import { VoiceActivity } from "./voice-activity.js";

export class Microphone {
  #stream;
  #context;

  /**
   * @param {number} rateHz of the pieces
   * @param {(piece: Int16Array, voice: VoiceActivity) => void} heard is called for each
   * @throws {Error} in words for people: no permission, no microphone
   */
  static async open(rateHz, heard) {
    const microphone = new Microphone();
    try {
      await microphone.#open(rateHz, heard);
    } catch (error) {
      microphone.close();
      throw new Error(whyNot(error));
    }
    return microphone;
  }

  async #open(rateHz, heard) {
    if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
    this.#stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
    });
    // At its own rate: not every browser changes the rate of a microphone.
    this.#context = new AudioContext();
    await this.#context.audioWorklet.addModule(new URL("microphone-worklet.js", import.meta.url));
    const pieces = new AudioWorkletNode(this.#context, "microphone-pieces", {
      numberOfOutputs: 0, processorOptions: { rateHz },
    });
    const voice = new VoiceActivity();
    pieces.port.onmessage = ({ data }) => {
      voice.push(data);
      heard(data, voice);
    };
    this.#context.createMediaStreamSource(this.#stream).connect(pieces);
  }

  close() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
  }
}

/** Why camera or microphone cannot be had. */
export function whyNot(error) {
  switch (error.name) {
    case "NotAllowedError":
      return "The browser was not allowed to use it. Allow it in the address bar, and try again.";
    case "NotFoundError":
      return "There is none on this device.";
    case "SecurityError":
      return "Browsers give it only to https pages and to localhost.";
    default:
      return error.message;
  }
}

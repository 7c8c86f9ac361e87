/**
 * A live session from the side of a page: the wire format of docs/live.md, without playing.
 *
 *     import { LiveClient } from "/studio/live-client.js";
 *     const client = await LiveClient.open({ avatar: "me" });
 *     client.addEventListener("media", ({ detail }) => ...);   // kind, ptsUs, keyframe, payload
 *     client.addEventListener("agent.speak_finished", ({ detail }) => ...);
 *     client.addEventListener("connection", ({ detail }) => ...);  // "open": now it can speak
 *     client.connect();
 */
import { Refusal, address, ask } from "./server.js";

export const MediaKind = Object.freeze({ VIDEO: 1, AUDIO: 2, MOTION: 3 });

const HEAD_BYTES = 16;
const KEYFRAME = 1;
const SIDE_BY_SIDE = 2;
const LARGEST_PIECE = 32_000; // bytes; the first picture waits for the first message
const ENDED = 1000; // RFC 6455: closed on purpose
const TOO_LARGE = 1009; // RFC 6455: a message was larger than the server takes
const TOO_LARGE_ERROR = Object.freeze({
  type: "error",
  code: "message_too_large",
  detail: "A message was larger than the server takes: it closed the connection.",
  remedy: "Send speech in pieces of a megabyte at most.",
});
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;
const PATIENCE_MS = 30_000;

/**
 * A binary message of the server.
 * @param {ArrayBuffer} data
 * @returns {{kind: number, keyframe: boolean, sideBySide: boolean, epoch: number, ptsUs: number,
 *   payload: Uint8Array}} side by side are colours and alpha, where there is no background
 */
export function decodeMedia(data) {
  if (data.byteLength < HEAD_BYTES) throw new RangeError(`${data.byteLength} bytes are no media`);
  const head = new DataView(data, 0, HEAD_BYTES);
  return {
    kind: head.getUint8(0),
    keyframe: Boolean(head.getUint8(1) & KEYFRAME),
    sideBySide: Boolean(head.getUint8(1) & SIDE_BY_SIDE),
    epoch: head.getUint32(4, true),
    ptsUs: Number(head.getBigInt64(8, true)),
    payload: new Uint8Array(data, HEAD_BYTES),
  };
}

/**
 * Events: "media"; the server's own by their type ("session.state_updated", "agent.speak_started",
 * "agent.speak_finished", "error"); and "connection", whose detail is "open", "lost" or "ended".
 * A connection that drops is made again; media of an epoch that is over is left out.
 */
export class LiveClient extends EventTarget {
  #socket = null;
  #pauseMs = FIRST_PAUSE_MS;
  #lostMs = null;
  #ended = false;
  #finished = 0; // the last utterance that has been heard

  /** @param {object} session as `POST /v1/sessions` gave it */
  constructor(session) {
    super();
    this.session = session;
    this.epoch = 0; // of pictures
    this.soundEpoch = 0;
  }

  /**
   * Open a session; listen to it, then `connect`.
   * @param {object} options of `POST /v1/sessions`: avatar, size, voice, controls and more
   * @throws {Refusal}
   */
  static async open(options) {
    return new LiveClient(await ask("/v1/sessions", { json: options }));
  }

  connect() {
    const url = address(this.session.stream_url);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("token", this.session.session_token);
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#lostMs = null;
      this.#tell("connection", "open");
    };
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = ({ code }) => {
      if (code === TOO_LARGE) this.#tell("error", TOO_LARGE_ERROR);
      if (code === ENDED) this.#end();
      else this.#again();
    };
    this.#socket = socket;
  }

  /** A piece of speech: 16-bit samples at the session's rate. Lost where there is no connection. */
  speak(samples) {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    for (let first = 0; first < bytes.length; first += LARGEST_PIECE) {
      this.#send(bytes.subarray(first, first + LARGEST_PIECE));
    }
  }

  /** The utterance is complete. */
  end() {
    this.#send(JSON.stringify({ type: "agent.speak_end" }));
  }

  /** Speak a text. */
  say(text, voice) {
    this.#send(JSON.stringify({ type: "agent.speak", text, ...(voice && { voice }) }));
  }

  /** Drop all that was said and not yet heard. */
  interrupt() {
    this.#send(JSON.stringify({ type: "agent.interrupt" }));
  }

  /** Wish for an emotion, a gaze and more, in place of all wishes before. */
  control(controls) {
    this.#send(JSON.stringify({ type: "session.controls", controls }));
  }

  /** Go over to another `output` ("video" or "motion"), `background` or `framing`; the rest stays. */
  show(changes) {
    this.#send(JSON.stringify({ type: "session.output", ...changes }));
  }

  /** End the session. */
  close() {
    if (this.#ended) return;
    const path = `/v1/sessions/${this.session.id}`;
    ask(path, { method: "DELETE", keepalive: true }).catch(() => {}); // it ends by itself as well
    this.#end();
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  #take(data) {
    if (typeof data !== "string") {
      const media = decodeMedia(data);
      const which = media.kind === MediaKind.AUDIO ? "soundEpoch" : "epoch";
      this[which] = Math.max(this[which], media.epoch);
      if (media.epoch === this[which]) this.#tell("media", media);
      return;
    }
    const event = JSON.parse(data);
    this.epoch = Math.max(this.epoch, event.epoch ?? 0);
    this.soundEpoch = Math.max(this.soundEpoch, event.sound_epoch ?? 0);
    if (event.type === "agent.speak_finished") {
      if (event.utterance <= this.#finished) return; // told before the connection dropped
      this.#finished = event.utterance;
    }
    this.#tell(event.type, event);
  }

  async #again() {
    if (this.#ended) return;
    if (this.#lostMs === null) {
      this.#lostMs = performance.now();
      this.#tell("connection", "lost");
    }
    await new Promise((done) => setTimeout(done, this.#pauseMs));
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    try {
      // A token lasts for a while; and a refused socket would not say why.
      this.session = await ask(`/v1/sessions/${this.session.id}/token`, { method: "POST" });
    } catch (error) {
      const over = error instanceof Refusal && error.status === 404;
      if (over || performance.now() - this.#lostMs > PATIENCE_MS) this.#end();
      else this.#again();
      return;
    }
    if (!this.#ended) this.connect();
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket?.close(ENDED);
    this.#tell("connection", "ended");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Shows and sounds a live session on one clock, and measures how well. */
import { SessionClock } from "./clock.js";
import { MediaKind } from "./live-client.js";
import { Pictures } from "./pictures.js";
import { paintSquares } from "./side-by-side.js";
import { Sound } from "./sound.js";

const FRAME_US = 40_000;
const MOST_HELD = 60; // pictures
const WINDOW_MS = 2000;
const ADAPTED_AFTER = 25; // pictures
const LEAST_SPARE_US = 20_000; // between a picture's coming and its time
const MOST_SPARE_US = 160_000;
const LONGEST_DELAY_US = 500_000;

/** Events: "failed" (detail: Error), "first-picture" (detail: ms since `asked`). */
export class Player extends EventTarget {
  #client;
  #canvas;
  #paper;
  #clock;
  #pictures;
  #frames = []; // decoded, not yet shown, by time
  #epoch = 0; // of pictures
  #soundEpoch = 0;
  #stale = false; // pictures of a lower epoch may be held
  #hushedEpoch = -1; // sound of it, and of those before, is not wanted
  #drawnMs = []; // of the last two seconds
  #spareUs = []; // how long before their time the last pictures came
  #delayedUs = 0;
  #late = 0;
  #driftMs = null;
  #askedMs = null;
  #startedUs = null;
  #animation = 0;
  #drawing = null; // LocalDrawing

  /**
   * @param {LiveClient} client before it is connected
   * @param {HTMLCanvasElement} canvas may be hidden until there is a picture
   * @param {AudioContext} context at the session's sample rate
   */
  constructor(client, canvas, context) {
    super();
    this.#client = client;
    this.#canvas = canvas;
    this.#paper = canvas.getContext("2d", { alpha: false });
    this.#clock = new SessionClock(context);
    this.sound = new Sound(context, this.#clock, client.session.sample_rate);
    this.#pictures = new Pictures((frame) => this.#hold(frame), (error) => this.#fail(error));
    client.addEventListener("session.state_updated", ({ detail }) => {
      this.#clock.start(detail.now_us);
      this.#enter(detail.epoch);
      this.#enterSound(detail.sound_epoch);
    });
    client.addEventListener("agent.speak_started", ({ detail }) => {
      this.#startedUs = detail.pts_us;
    });
    client.addEventListener("connection", ({ detail }) => {
      // What was asked for while it was lost is not known to the server.
      if (detail === "open") this.#hushedEpoch = -1;
    });
    client.addEventListener("media", ({ detail }) => this.#take(detail));
    this.#animation = requestAnimationFrame(() => this.#draw());
  }

  /** The user asked for speech now: the time to its first picture counts from here. */
  asked() {
    this.#askedMs = performance.now();
    this.#startedUs = null;
  }

  /** Draws what motion comes from now on: a LocalDrawing, or null where none will. */
  set drawing(drawing) {
    this.#drawing = drawing;
  }

  /** Fall silent at once, before the server knows. */
  hush() {
    this.sound.hush();
    this.#hushedEpoch = this.#client.soundEpoch;
    this.#askedMs = null;
  }

  /** How it goes: `fps`; `late` pictures so far; `driftMs` of the picture after the sound. */
  figures() {
    const nowMs = performance.now();
    this.#drawnMs = this.#drawnMs.filter((ms) => nowMs - ms < WINDOW_MS);
    const fps = (1000 * this.#drawnMs.length) / WINDOW_MS;
    return { fps, late: this.#late, driftMs: this.#driftMs };
  }

  /** Stop showing; the last picture stays. */
  close() {
    cancelAnimationFrame(this.#animation);
    this.sound.hush();
    this.#pictures.restart();
    this.#drop(-Infinity);
  }

  #take(media) {
    if (!this.#clock.started) return;
    if (media.kind === MediaKind.AUDIO) {
      this.#enterSound(media.epoch);
      if (media.epoch > this.#hushedEpoch) this.sound.play(media.ptsUs, media.payload);
      return;
    }
    this.#enter(media.epoch);
    if (media.kind === MediaKind.VIDEO) {
      if (this.#stale && media.keyframe) this.#drop(media.ptsUs);
      this.#pictures.decode(media);
    } else if (media.kind === MediaKind.MOTION && this.#drawing) {
      if (this.#stale) this.#drop(media.ptsUs);
      this.#hold(this.#drawing.picture(media));
    }
  }

  /** Sound that is held of lower epochs is stale. */
  #enterSound(epoch) {
    if (epoch <= this.#soundEpoch) return;
    this.#soundEpoch = epoch;
    this.sound.hush();
  }

  /** Pictures that are held of lower epochs are stale. Those before the new epoch's first stay. */
  #enter(epoch) {
    if (epoch <= this.#epoch) return;
    this.#epoch = epoch;
    this.#stale = true;
    this.#pictures.restart();
  }

  #hold(frame) {
    const spareUs = frame.timestamp - this.#clock.heardUs();
    if (spareUs < -FRAME_US) this.#late += 1;
    this.#adapt(spareUs);
    // Decoded pictures take a moment: motion that was sent after them may be here before.
    const after = this.#frames.findLastIndex((each) => each.timestamp <= frame.timestamp);
    this.#frames.splice(after + 1, 0, frame);
    if (this.#frames.length > MOST_HELD) this.#frames.shift().close(); // a page that is hidden
  }

  /**
   * Show later what comes late, and sooner what comes early: networks change, and the clocks of
   * server and sound card differ a little. Never within speech.
   */
  #adapt(spareUs) {
    if (this.sound.playing) this.#spareUs = [];
    else this.#spareUs.push(spareUs);
    if (this.#spareUs.length < ADAPTED_AFTER) return;
    const leastUs = Math.min(...this.#spareUs);
    this.#spareUs = [];
    const wantedUs = Math.max(LEAST_SPARE_US, Math.min(leastUs, MOST_SPARE_US));
    const moreUs = Math.min(wantedUs - leastUs, LONGEST_DELAY_US - this.#delayedUs);
    this.#delayedUs += moreUs;
    this.#clock.delay(moreUs / 1e6);
  }

  #draw() {
    this.#animation = requestAnimationFrame(() => this.#draw());
    if (!this.#clock.started) return;
    const heardUs = this.#clock.heardUs();
    let due = null;
    while (this.#frames.length && this.#frames[0].timestamp <= heardUs) {
      due?.close();
      due = this.#frames.shift();
    }
    if (!due) return;
    const { timestamp, displayWidth, displayHeight } = due;
    if (this.#canvas.width !== displayWidth) this.#canvas.width = displayWidth;
    if (this.#canvas.height !== displayHeight) this.#canvas.height = displayHeight;
    try {
      if (due.paint) {
        paintSquares(this.#paper); // behind what has no background
        due.paint(this.#paper);
      } else {
        this.#paper.drawImage(due, 0, 0);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#canvas.hidden = false;
    due.close();
    this.#measure(timestamp, heardUs);
  }

  #measure(shownUs, heardUs) {
    const nowMs = performance.now();
    this.#drawnMs.push(nowMs);
    const behindMs = (heardUs - shownUs) / 1000;
    this.#driftMs = this.#driftMs === null ? behindMs : 0.9 * this.#driftMs + 0.1 * behindMs;
    if (this.#askedMs !== null && this.#startedUs !== null && shownUs >= this.#startedUs) {
      this.#tell("first-picture", nowMs - this.#askedMs);
      this.#askedMs = null;
    }
  }

  /** Forget pictures from a moment on. */
  #drop(fromUs) {
    for (const frame of this.#frames) if (frame.timestamp >= fromUs) frame.close();
    this.#frames = this.#frames.filter((frame) => frame.timestamp < fromUs);
    this.#stale = false;
  }

  #fail(error) {
    this.#pictures.restart();
    this.#tell("failed", error);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What the user wishes of the face beside its words. */
import { byId, make } from "./elements.js";

const EMOTIONS = {
  joy: "joy", amazement: "amazement", cheekiness: "cheekiness", sadness: "sadness", grief: "grief",
  anger: "anger", disgust: "disgust", fear: "fear", pain: "pain", outofbreath: "out of breath",
};
const AT_MOST_EVERY_MS = 100;

/** Events: "changed". */
export class FacePanel extends EventTarget {
  #fields = byId("face").elements;
  #timer = 0;

  constructor() {
    super();
    for (const [value, name] of Object.entries(EMOTIONS)) {
      this.#fields.emotion.append(make("option", { value }, name));
    }
    const form = byId("face");
    form.addEventListener("input", () => this.#change());
    form.addEventListener("reset", () => this.#change());
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** As `controls` of a session. */
  get controls() {
    const { emotion, intensity, yaw, pitch, head, blinks, mouth } = this.#fields;
    const controls = { head_motion: Number(head.value), mouth_strength: Number(mouth.value) };
    if (emotion.value) controls.emotion = { [emotion.value]: Number(intensity.value) };
    if (blinks.value !== blinks.defaultValue) controls.blink_rate = Number(blinks.value); // else as people do
    const gaze = { yaw_deg: Number(yaw.value), pitch_deg: Number(pitch.value) };
    if (gaze.yaw_deg || gaze.pitch_deg) controls.gaze = gaze; // else an emotion may turn the eyes
    return controls;
  }

  /** A slider that is drawn tells of each step; fewer will do. */
  #change() {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.dispatchEvent(new Event("changed"));
    }, AT_MOST_EVERY_MS);
  }
}

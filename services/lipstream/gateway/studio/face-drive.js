/**
 * From a frame of motion to the weights of an avatar's shapes and colour shapes: what
 * `lipstream/face/drive.py` does on the server, whose constants these are.
 */

/** Where a frame's 62 numbers lie. */
export const FRAME = Object.freeze({ BLENDSHAPES: 0, ROTATION: 52, TRANSLATION: 55, GAZE: 58, SIZE: 62 });

const MOST = 1.3;
const LOOK_RAD = 0.42; // turn of an eye at weight 1 of a look shape
const LOOKS = [ // of each number of the gaze: where it is positive, where it is negative
  ["eyeLookOutLeft", "eyeLookInLeft"],
  ["eyeLookUpLeft", "eyeLookDownLeft"],
  ["eyeLookInRight", "eyeLookOutRight"],
  ["eyeLookUpRight", "eyeLookDownRight"],
];
const REST_SMILE = 0.35;
const TIP_UP = 0.12;
const TIP_DOWN = [0.4, 0.8];
const UPPER_LIP = [81, 82, 13, 312, 311]; // vertices
const LOWER_LIP = [178, 87, 14, 317, 402];
const CORNERS = [78, 308];
const DARK_MM2 = 20; // gap times width of a mouth whose inside is dark
const LIT_MM2 = 380;
const ROUND_SHADE = 0.5;
const TUCKED = 0.65;
const TUCK_MM = 3;

const clip = (value, low, high) => Math.min(Math.max(value, low), high);

export class FaceDrive {
  #index;
  #colorNames;
  #shapes;
  #colors;

  /** @param {{header: object}} bundle */
  constructor({ header }) {
    this.#index = new Map(header.shapes.map((name, i) => [name, i]));
    this.#colorNames = header.color_shapes;
    this.#shapes = new Float32Array(header.shapes.length);
    this.#colors = new Float32Array(header.color_shapes.length);
  }

  /**
   * Weights of the shapes [K]; overwritten by the next.
   * @param {Float32Array} frame of motion
   */
  shapes(frame) {
    const weights = this.#shapes.fill(0);
    const blendshapes = frame.subarray(FRAME.BLENDSHAPES, FRAME.ROTATION);
    blendshapes.forEach((value, i) => { weights[i] = clip(value, 0, MOST); });
    LOOKS.forEach(([positive, negative], i) => {
      const turn = frame[FRAME.GAZE + i] / LOOK_RAD;
      this.#add(positive, Math.max(turn, 0));
      this.#add(negative, Math.max(-turn, 0));
    });
    // A mouth that is rounded, or whose corners are drawn down, cannot smile.
    const frown = (this.#weight("mouthFrownLeft") + this.#weight("mouthFrownRight")) / 2;
    this.#set("photoSmile", REST_SMILE * (1 - this.#rounded()) * (1 - Math.min(1, frown / 0.5)));
    const out = this.#weight("tongueOut");
    if (this.#index.has("tongueTip")) {
      const over = Math.max((TIP_DOWN[1] - out) / (TIP_DOWN[1] - TIP_DOWN[0]), 0);
      this.#set("tongueTip", Math.min(out / TIP_UP, 1, over));
      this.#set("tongueOut", Math.max(out - TIP_UP, 0) / (1 - TIP_UP));
    }
    return weights;
  }

  /**
   * Weights of the colour shapes [J] for what `shapes` gave last; overwritten by the next.
   * @param {Float32Array} vertices [V, 3] mm, deformed, head frame
   */
  colors(vertices) {
    const gap = this.#gap(vertices);
    // Teeth that hold the lower lip: they are in the light, and shade it.
    const tucked = Math.min(this.#weight("mouthRollLower") / TUCKED, gap / TUCK_MM, 1);
    const inPhoto = clip(Math.min(this.#weight("photoSmile"), this.#weight("photoPart")), 0, 1);
    const values = {
      lidLeft: Math.min(1, 1.6 * this.#weight("eyeBlinkLeft")),
      lidRight: Math.min(1, 1.6 * this.#weight("eyeBlinkRight")),
      lipRest: 1 - inPhoto,
      mouthShade: 0.95 * (1 - Math.max(this.#lit(vertices, gap), tucked)),
      lipTuck: tucked,
    };
    this.#colorNames.forEach((name, j) => { this.#colors[j] = values[name] ?? 0; });
    return this.#colors;
  }

  /** Between the lips, mm. */
  #gap(vertices) {
    const gaps = LOWER_LIP.map((lower, i) => vertices[3 * lower + 1] - vertices[3 * UPPER_LIP[i] + 1]);
    return Math.max(...gaps, 0);
  }

  /** How much light falls into the mouth, 0 to 1. */
  #lit(vertices, gap) {
    const width = Math.abs(vertices[3 * CORNERS[1]] - vertices[3 * CORNERS[0]]);
    let lit = clip((gap * width - DARK_MM2) / (LIT_MM2 - DARK_MM2), 0, 1);
    lit = lit * lit * (3 - 2 * lit) * (1 - ROUND_SHADE * this.#rounded());
    // A tongue that is out is in the light.
    return Math.min(Math.max(lit, this.#weight("tongueTip"), this.#weight("tongueOut") / TIP_UP), 1);
  }

  #rounded() {
    return Math.min(1, (this.#weight("mouthPucker") + this.#weight("mouthFunnel")) / 0.6);
  }

  #weight(name) {
    return this.#shapes[this.#index.get(name)] ?? 0;
  }

  #set(name, weight) {
    if (this.#index.has(name)) this.#shapes[this.#index.get(name)] = weight;
  }

  #add(name, weight) {
    this.#set(name, clip(this.#weight(name) + weight, 0, MOST));
  }
}

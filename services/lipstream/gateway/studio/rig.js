/** Where an avatar's vertices are: shapes, then the head's pose, then the camera. */
import { FRAME } from "./face-drive.js";

// How the torso goes along with the head: `services/lipstream/face/follow.py`.
const MOST_MM = 8;
const [YAW_MM, PITCH_MM, ROLL_MM] = [16, 8, 12];
const ALONG = 0.5;

export class Rig {
  #header;
  #arrays;
  #follows; // whether the torso is known from what is behind it
  #neckMm; // from the camera
  #still; // [3, 4] head frame to camera frame, of what stays with the torso
  head; // [V, 3] mm, deformed, head frame
  camera; // [V, 4] mm, camera frame; as texels, the last of which mean nothing

  torso; // where it is: right, down, in picture widths at a focal length of one

  /** @param {{header: object, arrays: object, pictures: object}} bundle */
  constructor({ header, arrays, pictures }) {
    this.#header = header;
    this.#arrays = arrays;
    this.#follows = "person" in pictures;
    this.#neckMm = neckMm(header, arrays);
    this.head = new Float32Array(arrays.vertices.length);
    this.camera = new Float32Array((arrays.vertices.length / 3) * 4);
  }

  /**
   * Look at another part of the picture, from now on; to be called before the first pose.
   * @param {{zoom: number, offset: number}} framing
   */
  frame({ zoom, offset }) {
    const { focal, head_to_camera: [x, y, z] } = this.#header;
    // What is added to y in proportion to z moves everything alike, whatever its depth.
    const shear = -offset / (focal * zoom);
    this.#still = [x, y.map((value, i) => value + shear * z[i]), z];
  }

  /**
   * Displace the vertices by the weighted shapes: `head`.
   * @param {Float32Array} weights [K]
   */
  deform(weights) {
    const { vertices, shape_first: first, shape_vertices: ids, shape_vectors: vectors } = this.#arrays;
    const head = this.head;
    head.set(vertices);
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k];
      if (weight === 0) continue;
      for (let e = first[k]; e < first[k + 1]; e++) {
        const v = 3 * ids[e];
        head[v] += weight * vectors[3 * e];
        head[v + 1] += weight * vectors[3 * e + 1];
        head[v + 2] += weight * vectors[3 * e + 2];
      }
    }
  }

  /**
   * Take the deformed vertices to the camera: `camera`.
   * @param {Float32Array} frame of motion
   */
  pose(frame) {
    const { head, camera } = this;
    const weights = this.#arrays.head_weights;
    const rotation = frame.subarray(FRAME.ROTATION, FRAME.TRANSLATION);
    const translation = frame.subarray(FRAME.TRANSLATION, FRAME.GAZE);
    const moved = this.#moved(turnOf(rotation), translation);
    const shift = this.#follows ? torsoShift(rotation, translation) : [0, 0];
    const still = this.#still.map(([x, y, z, w]) => [x, y, z, w + x * shift[0] - y * shift[1]]);
    this.torso = [0, 1].map((k) => (still[k][3] - this.#still[k][3]) / this.#neckMm);
    for (let v = 0; v < weights.length; v++) {
      const x = head[3 * v];
      const y = head[3 * v + 1];
      const z = head[3 * v + 2];
      for (let k = 0; k < 3; k++) {
        const s = still[k];
        const m = moved[k];
        const a = s[0] * x + s[1] * y + s[2] * z + s[3];
        const b = m[0] * x + m[1] * y + m[2] * z + m[3];
        camera[4 * v + k] = a + weights[v] * (b - a);
      }
    }
  }

  /** The map [3, 4] from the head frame to the camera frame of what moves with the head. */
  #moved(turn, translation) {
    const pivot = this.#header.head_pivot;
    const signs = [1, -1, -1]; // motion counts up and towards the camera
    const shift = turn.map((row, k) => pivot[k] - dot(row, pivot) + signs[k] * translation[k]);
    return this.#still.map((row) => [
      ...[0, 1, 2].map((k) => dot(row, turn.map((each) => each[k]))),
      dot(row, shift) + row[3],
    ]);
  }
}

/** The mean depth of what stays with the torso. */
function neckMm({ head_to_camera: [, , z] }, { vertices, head_weights: weights }) {
  const depths = Array.from(weights, (_, v) => dot(z, vertices.subarray(3 * v, 3 * v + 3)) + z[3]);
  const neck = depths.filter((_, v) => weights[v] < 0.5);
  const all = neck.length ? neck : depths;
  return all.reduce((sum, depth) => sum + depth, 0) / all.length;
}

/** To the person's left and up, mm. */
function torsoShift([pitch, yaw, roll], [left, up]) {
  const wanted = [
    ALONG * left + YAW_MM * Math.sin(yaw) + ROLL_MM * Math.sin(roll),
    ALONG * up + PITCH_MM * Math.sin(pitch),
  ];
  return wanted.map((mm) => MOST_MM * Math.tanh(mm / MOST_MM));
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** Pitch, yaw, roll in radians to a matrix: roll first, then pitch, then yaw. */
function turnOf([pitch, yaw, roll]) {
  const [cp, sp, cy, sy] = [Math.cos(pitch), Math.sin(pitch), Math.cos(yaw), Math.sin(yaw)];
  const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
  return [
    [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, -sy * cp],
    [cp * sr, cp * cr, sp],
    [sy * cr - cy * sp * sr, -sy * sr - cy * sp * cr, cy * cp],
  ];
}

/** Where an avatar's vertices are: shapes, then the head's pose, then the camera. */
import { FRAME } from "./face-drive.js";

export class Rig {
  #header;
  #arrays;
  #still; // [3, 4] head frame to camera frame, of what stays with the torso
  head; // [V, 3] mm, deformed, head frame
  camera; // [V, 4] mm, camera frame; as texels, the last of which mean nothing

  /** @param {{header: object, arrays: object}} bundle */
  constructor({ header, arrays }) {
    this.#header = header;
    this.#arrays = arrays;
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
    const still = this.#still;
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

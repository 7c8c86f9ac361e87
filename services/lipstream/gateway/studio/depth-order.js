/** Which splats are seen, nearest first. */

const NEAR_MM = 1;
const LEVELS = 65_535; // 5 micrometres on a head of 30 cm

export class DepthOrder {
  #arrays;
  #cullCosine;
  #depths;
  #keys;
  #seen; // splats as they come
  #scratch;
  #histogram = new Uint32Array(512);
  splats; // the first `count` of them, nearest first
  count = 0;

  /** @param {{header: object, arrays: object}} bundle */
  constructor({ header, arrays }) {
    const size = arrays.depth_bias.length;
    this.#arrays = arrays;
    this.#cullCosine = header.cull_cosine;
    this.#depths = new Float32Array(size);
    this.#keys = new Uint16Array(size);
    this.#seen = new Uint32Array(size);
    this.#scratch = new Uint32Array(size);
    this.splats = new Uint32Array(4 * Math.ceil(size / 4));
  }

  /**
   * Look again: those on triangles that face away are left out.
   * @param {Float32Array} vertices [V, 4] mm, camera frame
   */
  update(vertices) {
    const { triangles, triangle_first: first, corners, depth_bias: bias } = this.#arrays;
    let count = 0;
    for (let t = 0; t < triangles.length / 3; t++) {
      if (first[t] === first[t + 1]) continue;
      const [a, b, c] = [4 * triangles[3 * t], 4 * triangles[3 * t + 1], 4 * triangles[3 * t + 2]];
      if (this.#cosine(vertices, a, b, c) <= this.#cullCosine) continue;
      const z = vertices[a + 2];
      const u = vertices[b + 2] - z;
      const v = vertices[c + 2] - z;
      for (let i = first[t]; i < first[t + 1]; i++) {
        const depth = z + corners[2 * i] * u + corners[2 * i + 1] * v;
        if (depth < NEAR_MM) continue;
        this.#seen[count] = i;
        this.#depths[count] = depth + bias[i];
        count += 1;
      }
    }
    this.count = count;
    this.#sort();
  }

  /** Between a triangle's normal and the ray from it to the camera. */
  #cosine(vertices, a, b, c) {
    const [ax, ay, az] = [vertices[a], vertices[a + 1], vertices[a + 2]];
    const [ux, uy, uz] = [vertices[b] - ax, vertices[b + 1] - ay, vertices[b + 2] - az];
    const [vx, vy, vz] = [vertices[c] - ax, vertices[c + 1] - ay, vertices[c + 2] - az];
    const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    const [px, py, pz] = [ax + (ux + vx) / 3, ay + (uy + vy) / 3, az + (uz + vz) / 3];
    const lengths = (nx * nx + ny * ny + nz * nz) * (px * px + py * py + pz * pz);
    return -(nx * px + ny * py + nz * pz) / (Math.sqrt(lengths) + 1e-20);
  }

  /** A stable radix sort by depth in 16 bits, in two passes. */
  #sort() {
    const { count } = this;
    const [depths, keys, histogram] = [this.#depths, this.#keys, this.#histogram.fill(0)];
    let nearest = Infinity;
    let farthest = -Infinity;
    for (let i = 0; i < count; i++) {
      nearest = Math.min(nearest, depths[i]);
      farthest = Math.max(farthest, depths[i]);
    }
    const scale = LEVELS / Math.max(farthest - nearest, 1e-6);
    for (let i = 0; i < count; i++) {
      keys[i] = (depths[i] - nearest) * scale;
      histogram[keys[i] & 255] += 1;
      histogram[256 + (keys[i] >> 8)] += 1;
    }
    let low = 0;
    let high = 0;
    for (let b = 0; b < 256; b++) {
      [histogram[b], low] = [low, low + histogram[b]];
      [histogram[256 + b], high] = [high, high + histogram[256 + b]];
    }
    for (let i = 0; i < count; i++) this.#scratch[histogram[keys[i] & 255]++] = i;
    for (let j = 0; j < count; j++) {
      const i = this.#scratch[j];
      this.splats[histogram[256 + (keys[i] >> 8)]++] = this.#seen[i];
    }
  }
}

/** An avatar's arrays as the tables that the shaders read. */
import { Table } from "./webgl.js";

/**
 * Tables by the names of the shaders' samplers; `vertices` and `order` are to be written for every frame.
 * @param {WebGL2RenderingContext} gl
 * @param {{header: object, arrays: object}} bundle
 * @returns {Object<string, Table>}
 */
export function splatTextures(gl, { header, arrays }) {
  const splats = arrays.depth_bias.length;
  const triangles = arrays.triangles.length / 3;
  const floats = [gl.RGBA32F, gl.RGBA, gl.FLOAT];
  const halves = [gl.RGBA16F, gl.RGBA, gl.HALF_FLOAT];
  const bytes = [gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE];
  const indices = [gl.RGBA32UI, gl.RGBA_INTEGER, gl.UNSIGNED_INT];
  return {
    vertices: new Table(gl, floats, arrays.vertices.length / 3),
    order: new Table(gl, indices, Math.ceil(splats / 4)),
    triangles: new Table(gl, indices, triangles).write(widened(Uint32Array, arrays.triangles)),
    places: new Table(gl, floats, splats).write(places(arrays, splats)),
    axes: new Table(gl, halves, splats).write(widened(Uint16Array, arrays.axes)),
    colors: new Table(gl, bytes, splats).write(arrays.colors),
    tints: tints(gl, header.color_shapes.length, arrays, splats),
  };
}

/** Tables of three columns with a fourth. */
function widened(Kind, table) {
  const wide = new Kind((table.length / 3) * 4);
  for (let i = 0; 3 * i < table.length; i++) wide.set(table.subarray(3 * i, 3 * i + 3), 4 * i);
  return wide;
}

/** Of every splat its triangle, and where on it. */
function places({ triangle_first: first, corners }, splats) {
  const table = new Float32Array(4 * splats);
  for (let t = 0; t + 1 < first.length; t++) {
    for (let i = first[t]; i < first[t + 1]; i++) {
      table[4 * i] = t;
      table[4 * i + 1] = corners[2 * i];
      table[4 * i + 2] = corners[2 * i + 1];
    }
  }
  return table;
}

/** A layer for every colour shape. */
function tints(gl, shapes, { tint_first: first, tint_splats: ids, tint_vectors: vectors }, splats) {
  const layers = new Table(gl, [gl.RGBA16F, gl.RGBA, gl.FLOAT], splats, Math.max(shapes, 1));
  for (let j = 0; j < shapes; j++) {
    const layer = new Float32Array(4 * splats);
    for (let e = first[j]; e < first[j + 1]; e++) {
      for (let k = 0; k < 3; k++) layer[4 * ids[e] + k] += vectors[3 * e + k];
    }
    layers.write(layer, j);
  }
  return layers;
}

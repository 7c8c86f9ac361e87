/** Reads a `.splats`, an avatar to be drawn here: docs/splats.md. */

const MAGIC = "LIPSPLAT";
const VERSION = 1;
const HEAD_BYTES = 16;
const BYTES = { uint8: 1, int16: 2, float16: 2, "int32 differences": 4 };

/**
 * @param {ArrayBuffer} data
 * @returns {Promise<{header: object, arrays: Object<string, TypedArray>, pictures: Object<string, Blob>}>}
 *   arrays row by row: `int16` as the numbers they count, indices as Int32Array; `uint8` and
 *   `float16` (as Uint16Array) as they are, which is how textures take them
 * @throws {RangeError} it is no such file, or cut off
 */
export async function readBundle(data) {
  const view = new DataView(data);
  const magic = data.byteLength < HEAD_BYTES ? "" : new TextDecoder().decode(data.slice(0, 8));
  if (magic !== MAGIC || view.getUint32(8, true) !== VERSION) {
    throw new RangeError("This is no avatar that this page can draw.");
  }
  const begin = HEAD_BYTES + view.getUint32(12, true);
  const header = JSON.parse(new TextDecoder().decode(data.slice(HEAD_BYTES, begin)));
  let at = begin + header.deflated_bytes;
  const planes = await inflated(data.slice(begin, at));
  if (planes.length !== header.inflated_bytes) throw new RangeError("The avatar is cut off.");
  const pictures = {};
  for (const { name, bytes } of header.pictures) {
    pictures[name] = new Blob([data.slice(at, (at += bytes))], { type: "image/png" });
  }
  if (at > data.byteLength) throw new RangeError("The avatar is cut off.");
  return { header, arrays: unpacked(header.arrays, planes), pictures };
}

async function inflated(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function unpacked(directory, planes) {
  const arrays = {};
  let at = 0;
  for (const { name, type, shape, step } of directory) {
    const [rows, columns = 1] = shape;
    const size = rows * columns * BYTES[type];
    arrays[name] = READERS[type](planes.subarray(at, at + size), rows, columns, step);
    at += size;
  }
  return arrays;
}

/** By type: from planes of bytes, which are column by column, to numbers row by row. */
const READERS = {
  uint8: (planes, rows, columns) => filled(new Uint8Array(rows * columns), rows, columns, (i) => planes[i]),
  float16(planes, rows, columns) {
    const count = rows * columns;
    const bits = (i) => planes[i] | (planes[count + i] << 8);
    return filled(new Uint16Array(count), rows, columns, bits);
  },
  int16(planes, rows, columns, step) {
    const count = rows * columns;
    const number = (i) => (((planes[i] | (planes[count + i] << 8)) << 16) >> 16) * step;
    return filled(new Float32Array(count), rows, columns, number);
  },
  "int32 differences"(planes, rows, columns) {
    const count = rows * columns;
    let sum = 0;
    const next = (i) => {
      if (i % rows === 0) sum = 0; // a column begins
      sum += planes[i] | (planes[count + i] << 8) | (planes[2 * count + i] << 16) | (planes[3 * count + i] << 24);
      return sum;
    };
    return filled(new Int32Array(count), rows, columns, next);
  },
};

function filled(out, rows, columns, number) {
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) {
      out[row * columns + column] = number(column * rows + row);
    }
  }
  return out;
}

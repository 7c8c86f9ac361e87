/** What WebGL 2 needs said at length, said once: programs, and textures that hold tables. */
import { ROW } from "./splat-shaders.js";

/** A program and where its uniforms are. */
export class Program {
  #gl;
  #program;
  #places = new Map();

  constructor(gl, vertex, fragment) {
    this.#gl = gl;
    this.#program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.#program, shader);
    }
    gl.linkProgram(this.#program);
    if (!gl.getProgramParameter(this.#program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error("This browser's WebGL cannot draw the avatar.");
    }
  }

  /** The place of a uniform. */
  at(name) {
    if (!this.#places.has(name)) {
      this.#places.set(name, this.#gl.getUniformLocation(this.#program, name));
    }
    return this.#places.get(name);
  }

  /** Draw with it from now on, with what its samplers see by name. */
  use(textures = {}) {
    const gl = this.#gl;
    gl.useProgram(this.#program);
    Object.entries(textures).forEach(([name, { target, texture }], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(target, texture);
      gl.uniform1i(this.at(name), unit);
    });
  }
}

/** A texture that is read texel by texel, `ROW` to a row: one row of a table is one texel. */
export class Table {
  #gl;
  #format;
  target;
  texture;

  /**
   * @param {number[]} format internal format, format and type, of four components
   * @param {number} rows of the table
   * @param {number} layers 0 where there is but one table
   */
  constructor(gl, format, rows, layers = 0) {
    this.#gl = gl;
    this.#format = format;
    this.target = layers ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
    this.texture = gl.createTexture();
    const height = Math.max(Math.ceil(rows / ROW), 1);
    gl.bindTexture(this.target, this.texture);
    if (layers) gl.texStorage3D(this.target, 1, format[0], ROW, height, layers);
    else gl.texStorage2D(this.target, 1, format[0], ROW, height);
    unfiltered(gl, this.target);
  }

  /**
   * @param {TypedArray} table [rows, 4]
   * @param {number} layer
   */
  write(table, layer = 0) {
    const whole = Math.floor(table.length / (4 * ROW));
    const rest = table.length / 4 - whole * ROW;
    this.#gl.bindTexture(this.target, this.texture);
    if (whole) this.#part(layer, 0, ROW, whole, table);
    if (rest) this.#part(layer, whole, rest, 1, table.subarray(4 * whole * ROW));
    return this;
  }

  #part(layer, top, width, height, data) {
    const gl = this.#gl;
    const [, format, type] = this.#format;
    if (this.target === gl.TEXTURE_2D) {
      gl.texSubImage2D(this.target, 0, 0, top, width, height, format, type, data);
    } else {
      gl.texSubImage3D(this.target, 0, 0, top, layer, width, height, 1, format, type, data);
    }
  }
}

/** Have the bound texture read as it is. */
export function unfiltered(gl, target) {
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}

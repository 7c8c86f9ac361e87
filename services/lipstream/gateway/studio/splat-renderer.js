/** Draws an avatar with WebGL 2: a frame of motion in, a picture out. */
import { DepthOrder } from "./depth-order.js";
import { FaceDrive } from "./face-drive.js";
import { Rig } from "./rig.js";
import { PICTURE_FRAGMENT, PICTURE_VERTEX, SPLAT_FRAGMENT, SPLAT_VERTEX } from "./splat-shaders.js";
import { splatTextures } from "./splat-textures.js";
import { Program, unfiltered } from "./webgl.js";

const REFERENCE_PX = 512;
const LOW_PASS_PX2 = 0.3;
const SMALL_PICTURE_PX2 = 0.03;
const PICTURES = { photo: "photo", blur: "blur" }; // others stand behind the person alone

/** Why avatars cannot be drawn here; null where they can. */
export function whyNoDrawing() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const blends = gl && blendsHalves(gl);
  gl?.getExtension("WEBGL_lose_context")?.loseContext(); // a page may have few of them
  if (blends && "DecompressionStream" in window) return null;
  return "This browser cannot draw the avatar itself: it has no WebGL 2 that blends half floats.";
}

/** Whether colours may be summed in 16-bit floats; 8 bits are too few for so many layers. */
function blendsHalves(gl) {
  return gl.getExtension("EXT_color_buffer_float") ?? gl.getExtension("EXT_color_buffer_half_float");
}

export class SplatRenderer {
  #gl;
  #bundle;
  #drive;
  #rig;
  #order;
  #tables;
  #splats; // program
  #picture; // program
  #sum; // what the splats are summed in
  #plate;
  #person;
  #focal; // picture widths
  /** Holds what was drawn until the page is shown the next time: copy it before. */
  canvas;

  /**
   * @param {object} bundle as `readBundle` gives it
   * @param {{sizePx: number, background: string, framing: {zoom: number, offset: number}}} view
   *   background: `photo`, `none`, `blur` or `#rrggbb`
   * @throws {Error} it cannot be drawn here, or not before this background
   */
  static async create(bundle, { sizePx, background = "photo", framing = { zoom: 1, offset: 0 } }) {
    const renderer = new SplatRenderer(bundle, sizePx);
    await renderer.show({ background, framing });
    return renderer;
  }

  /** Use `create`. */
  constructor(bundle, sizePx) {
    this.canvas = Object.assign(document.createElement("canvas"), { width: sizePx, height: sizePx });
    const gl = this.canvas.getContext("webgl2", { antialias: false, depth: false });
    if (!gl || !blendsHalves(gl)) throw new Error(whyNoDrawing() ?? "There is no WebGL any more.");
    this.#gl = gl;
    this.#bundle = bundle;
    this.#drive = new FaceDrive(bundle);
    this.#rig = new Rig(bundle);
    this.#order = new DepthOrder(bundle);
    this.#tables = splatTextures(gl, bundle);
    this.#sum = sumTexture(gl, sizePx);
    this.#splats = splatProgram(gl, bundle.header, sizePx);
    this.#picture = new Program(gl, PICTURE_VERTEX, PICTURE_FRAGMENT);
    fillQuads(gl, bundle.arrays.depth_bias.length);
    gl.viewport(0, 0, sizePx, sizePx);
  }

  /**
   * Draw before another background, or in another framing, from now on.
   * @throws {Error} the avatar cannot be; all stays as it was
   */
  async show({ background, framing }) {
    const plate = this.#bundle.pictures[PICTURES[background] ?? "person"];
    if (!plate) throw new Error("This avatar does not know its person from its background.");
    // Straight alpha, and colours as they are.
    const options = { premultiplyAlpha: "none", colorSpaceConversion: "none" };
    const person = this.#bundle.pictures.person ?? plate; // without it the torso stays
    const [picture, cut] = await Promise.all(
      [plate, person].map((each) => createImageBitmap(each, options)),
    );
    const gl = this.#gl;
    for (const old of [this.#plate, this.#person]) gl.deleteTexture(old?.texture ?? null);
    this.#plate = plateTexture(gl, picture);
    this.#person = plateTexture(gl, cut);
    this.#focal = this.#bundle.header.focal * framing.zoom;
    this.#rig.frame(framing);
    this.#splats.use();
    gl.uniform1f(this.#splats.at("focalPx"), this.#focal * this.canvas.width);
    this.#picture.use();
    const color = parseInt(background.slice(1), 16) || 0; // of the others nothing is seen through
    const rgb = [color >> 16, (color >> 8) & 255, color & 255].map((value) => value / 255);
    gl.uniform4f(this.#picture.at("behind"), ...rgb, background === "none" ? 0 : 1);
    gl.uniform4f(this.#picture.at("shown"), ...shownPart(framing));
    gl.uniform1f(this.#picture.at("sizePx"), this.canvas.width);
  }

  /**
   * Draw a frame of motion on `canvas`.
   * @param {Float32Array} frame [62]
   * @throws {Error} the graphics card was taken away
   */
  draw(frame) {
    const gl = this.#gl;
    if (gl.isContextLost()) throw new Error("The browser took the graphics card away.");
    const rig = this.#rig;
    rig.deform(this.#drive.shapes(frame));
    rig.pose(frame);
    this.#order.update(rig.camera);
    this.#tables.vertices.write(rig.camera);
    this.#drawSplats(this.#drive.colors(rig.head));
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.disable(gl.BLEND);
    this.#picture.use({ splats: this.#sum, plate: this.#plate, person: this.#person });
    gl.uniform2f(this.#picture.at("torso"), ...rig.torso.map((part) => part * this.#focal));
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  close() {
    this.#gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  #drawSplats(tintWeights) {
    const gl = this.#gl;
    const { splats, count } = this.#order;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#sum.framebuffer);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE_MINUS_DST_ALPHA, gl.ONE);
    this.#tables.order.write(splats.subarray(0, 4 * Math.ceil(count / 4)));
    this.#splats.use(this.#tables);
    if (tintWeights.length) gl.uniform1fv(this.#splats.at("tintWeights"), tintWeights);
    gl.drawElements(gl.TRIANGLES, 6 * count, gl.UNSIGNED_INT, 0);
  }
}

function splatProgram(gl, { cull_cosine: cullCosine, color_shapes: tints }, sizePx) {
  const program = new Program(gl, SPLAT_VERTEX(Math.max(tints.length, 1)), SPLAT_FRAGMENT);
  const scale = sizePx / REFERENCE_PX;
  const missing = Math.max(0, 1 - scale * scale) * SMALL_PICTURE_PX2;
  program.use();
  gl.uniform1f(program.at("sizePx"), sizePx);
  gl.uniform1f(program.at("lowPassPx2"), LOW_PASS_PX2 * scale * scale + missing);
  gl.uniform1f(program.at("cullCosine"), cullCosine);
  return program;
}

/** Of the plate: left, top, width, height. */
function shownPart({ zoom, offset }) {
  const middle = 0.5 + offset / zoom;
  const half = 0.5 / zoom;
  const top = Math.max(middle - half, 0);
  return [0.5 - half, top, 2 * half, Math.min(middle + half, 1) - top];
}

/** Two triangles for every splat, of four vertices each: instances of so few would be slow. */
function fillQuads(gl, splats) {
  const quads = new Uint32Array(6 * splats);
  for (let n = 0; n < splats; n++) {
    quads.set([4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 2, 4 * n + 1, 4 * n + 3], 6 * n);
  }
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, quads, gl.STATIC_DRAW);
}

/** A picture, to be seen smaller or larger. */
function plateTexture(gl, picture) {
  const target = gl.TEXTURE_2D;
  const texture = gl.createTexture();
  gl.bindTexture(target, texture);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(target, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, picture);
  gl.generateMipmap(target);
  gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
  gl.texParameteri(target, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
  gl.texParameteri(target, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  return { target, texture };
}

function sumTexture(gl, sizePx) {
  const target = gl.TEXTURE_2D;
  const texture = gl.createTexture();
  gl.bindTexture(target, texture);
  gl.texStorage2D(target, 1, gl.RGBA16F, sizePx, sizePx);
  unfiltered(gl, target);
  const framebuffer = gl.createFramebuffer();
  gl.bindFramebuffer(gl.FRAMEBUFFER, framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, target, texture, 0);
  return { target, texture, framebuffer };
}

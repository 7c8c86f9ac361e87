/** Draws a session's motion here, instead of having the server's pictures decoded. */
import { FRAME } from "./face-drive.js";
import { ask } from "./server.js";
import { readBundle } from "./splat-bundle.js";
import { SplatRenderer } from "./splat-renderer.js";

export class LocalDrawing {
  #renderer;
  #sizePx;

  constructor(renderer, sizePx) {
    this.#renderer = renderer;
    this.#sizePx = sizePx;
  }

  /**
   * Fetch an avatar, and prepare to draw it.
   * @param {string} avatar id
   * @param {{sizePx: number, background: string, framing: {zoom: number, offset: number}}} view
   * @throws {Refusal|Error} it cannot be had, or not be drawn here
   */
  static async open(avatar, view) {
    const bundle = await readBundle(await ask(`/v1/avatars/${avatar}/export?format=splats`));
    return new LocalDrawing(await SplatRenderer.create(bundle, view), view.sizePx);
  }

  /**
   * Draw before another background, or in another framing, from now on.
   * @param {{background: string, framing: {zoom: number, offset: number}}} view
   * @throws {Error} the avatar cannot be; all stays as it was
   */
  show(view) {
    return this.#renderer.show(view);
  }

  /**
   * A message of motion as a picture, like a VideoFrame, that is not drawn before it is shown.
   * @param {{ptsUs: number, payload: Uint8Array}} media
   */
  picture({ ptsUs, payload }) {
    const frame = new Float32Array(payload.slice().buffer, 0, FRAME.SIZE);
    const draw = () => {
      this.#renderer.draw(frame);
      return this.#renderer.canvas;
    };
    const paint = (paper) => paper.drawImage(draw(), 0, 0);
    const side = this.#sizePx;
    return { timestamp: ptsUs, displayWidth: side, displayHeight: side, draw, paint, close() {} };
  }

  close() {
    this.#renderer.close();
  }
}

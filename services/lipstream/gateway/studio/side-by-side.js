/** A picture of twice the width: on the left colours over black, on the right alpha as grey. */

const SQUARE_PX = 12;
const LIGHT = "#f2f4f4";
const DARK = "#d3d9da";

const scratch = new OffscreenCanvas(1, 1);
let pattern = null;

export class SideBySide {
  #frame;

  /** @param {VideoFrame} frame is closed with this */
  constructor(frame) {
    this.#frame = frame;
  }

  get timestamp() {
    return this.#frame.timestamp;
  }

  get displayWidth() {
    return this.#frame.displayWidth / 2;
  }

  get displayHeight() {
    return this.#frame.displayHeight;
  }

  /** Paint over what is there: left + (1 - right) * background. */
  paint(paper) {
    const [width, height] = [this.displayWidth, this.displayHeight];
    const paste = (onto, left) => {
      onto.drawImage(this.#frame, left, 0, width, height, 0, 0, width, height);
    };
    if (scratch.width !== width) scratch.width = width;
    if (scratch.height !== height) scratch.height = height;
    const clear = scratch.getContext("2d", { alpha: false }); // how much is seen through
    clear.globalCompositeOperation = "copy";
    paste(clear, width);
    clear.globalCompositeOperation = "difference";
    clear.fillStyle = "white";
    clear.fillRect(0, 0, width, height);
    paper.globalCompositeOperation = "multiply";
    paper.drawImage(scratch, 0, 0);
    paper.globalCompositeOperation = "lighter";
    paste(paper, 0);
    paper.globalCompositeOperation = "source-over";
  }

  close() {
    this.#frame.close();
  }
}

/** Cover a canvas with the squares that say that nothing is there. */
export function paintSquares(paper) {
  pattern ??= paper.createPattern(squares(), "repeat");
  paper.fillStyle = pattern;
  paper.fillRect(0, 0, paper.canvas.width, paper.canvas.height);
}

function squares() {
  const tile = new OffscreenCanvas(2 * SQUARE_PX, 2 * SQUARE_PX);
  const paper = tile.getContext("2d");
  paper.fillStyle = LIGHT;
  paper.fillRect(0, 0, tile.width, tile.height);
  paper.fillStyle = DARK;
  paper.fillRect(0, 0, SQUARE_PX, SQUARE_PX);
  paper.fillRect(SQUARE_PX, SQUARE_PX, SQUARE_PX, SQUARE_PX);
  return tile;
}

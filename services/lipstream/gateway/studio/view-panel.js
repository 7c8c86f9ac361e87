/** What the user wishes of the picture: who draws it, before what, how near. */
import { byId } from "./elements.js";

/** Events: "changed". */
export class ViewPanel extends EventTarget {
  #form = byId("view");

  constructor() {
    super();
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    this.#form.addEventListener("change", () => this.#change());
    this.#form.addEventListener("reset", () => setTimeout(() => this.#change())); // not reset yet
    this.#turn(); // browsers remember what was chosen
  }

  /** Who draws, as `output` of a session. */
  get output() {
    return this.#form.elements.output.value;
  }

  /** Have the server draw, since this browser cannot. */
  giveBack() {
    this.#form.elements.output.value = "video";
  }

  /** As `background` and `framing` of a session. */
  get view() {
    const { background, color, zoom } = this.#form.elements;
    return {
      background: background.value === color.name ? color.value : background.value,
      framing: { zoom: Number(zoom.value), offset: 0 },
    };
  }

  #change() {
    this.#turn();
    this.dispatchEvent(new Event("changed"));
  }

  /** Ask for a colour where one is wanted as background. */
  #turn() {
    const { background, color } = this.#form.elements;
    color.closest("label").hidden = background.value !== color.name;
  }
}

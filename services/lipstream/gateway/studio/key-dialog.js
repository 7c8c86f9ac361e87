/** Asks for an API key, once however many requests want one. */
import { byId, tell } from "./elements.js";
import { inWords } from "./server.js";

export class KeyDialog {
  #dialog = byId("key-dialog");
  #key = byId("key");
  #asking = null;

  constructor() {
    byId("key-cancel").addEventListener("click", () => this.#giveUp());
    this.#dialog.addEventListener("cancel", () => this.#giveUp()); // the Escape key
  }

  /**
   * @param {Refusal} refusal why the server wants one
   * @returns {Promise<string>} the key; empty where none was given
   */
  ask(refusal) {
    this.#asking ??= new Promise((done) => {
      tell(byId("key-notice"), refusal.code === "no_key" ? "" : inWords(refusal));
      this.#key.value = "";
      this.#dialog.addEventListener("close", () => {
        this.#asking = null;
        done(this.#key.value.trim());
        this.#key.value = "";
      }, { once: true });
      this.#dialog.showModal();
    });
    return this.#asking;
  }

  #giveUp() {
    this.#key.value = "";
    this.#dialog.close();
  }
}

/** The avatars there are: chosen by a click, told to whoever listens. */
import { byId, make } from "./elements.js";
import { address, ask, follow, inWords, isFinal } from "./server.js";

const KEPT = "lipstream.avatar"; // in the browser's own storage

/** Events: "changed" when there are others, "chosen" when another is chosen. */
export class AvatarShelf extends EventTarget {
  #list = byId("avatars");
  #following = new Map(); // of those being made, what ends it
  ready = []; // documents of those that can be used
  chosen = null;

  async refresh() {
    let avatars;
    try {
      avatars = await ask("/v1/avatars");
    } catch (error) {
      this.#list.replaceChildren(make("li", { className: "notice" }, inWords(error)));
      return;
    }
    for (const stop of this.#following.values()) stop();
    this.#following.clear();
    this.ready = avatars.filter((avatar) => avatar.status === "ready");
    const unready = avatars.filter((avatar) => avatar.status !== "ready");
    this.#list.replaceChildren(
      ...this.ready.map((avatar) => this.#card(avatar)),
      ...unready.map((avatar) => this.#unready(avatar)),
    );
    this.dispatchEvent(new Event("changed"));
    const known = [this.chosen?.id, localStorage.getItem(KEPT)];
    const again = known.map((id) => this.ready.find((avatar) => avatar.id === id)).find(Boolean);
    this.choose((again ?? this.ready[0])?.id);
  }

  /** Choose by id; nothing where there is none. */
  choose(id) {
    this.chosen = this.ready.find((avatar) => avatar.id === id) ?? null;
    if (this.chosen) localStorage.setItem(KEPT, id);
    for (const radio of this.#list.querySelectorAll("input")) radio.checked = radio.value === id;
    this.dispatchEvent(new Event("chosen"));
  }

  #card(avatar) {
    const radio = make("input", { type: "radio", name: "avatar", value: avatar.id });
    radio.addEventListener("change", () => this.choose(avatar.id));
    const face = make("img", { src: preview(avatar), alt: "", loading: "lazy" });
    const label = make("label", {}, radio, face, make("span", {}, avatar.id));
    return make("li", {}, label, this.#remover(avatar.id));
  }

  #unready(avatar) {
    const text = avatar.error ? avatar.error.detail : progressText(avatar);
    const state = make("span", { className: "hint" }, text);
    if (!isFinal(avatar.status)) {
      const stop = follow(avatar.links.events, (event) => {
        state.textContent = progressText(event);
        if (isFinal(event.status)) this.refresh();
      });
      this.#following.set(avatar.id, stop);
    }
    const name = make("span", {}, avatar.id);
    return make("li", { className: "unready" }, name, state, this.#remover(avatar.id));
  }

  #remover(id) {
    const button = make("button", { type: "button", className: "remove", title: `Remove ${id}` }, "×");
    button.setAttribute("aria-label", `Remove ${id}`);
    button.addEventListener("click", async () => {
      if (!confirm(`Remove the avatar ${id} for good?`)) return;
      await ask(`/v1/avatars/${id}`, { method: "DELETE" }).catch((error) => alert(inWords(error)));
      this.refresh();
    });
    return button;
  }
}

/** Address of the picture of an avatar at rest. */
export function preview(avatar) {
  return address(avatar.links.preview).href;
}

function progressText({ status, progress }) {
  return status === "running" ? `${Math.round(100 * progress)} %` : status;
}

/** The page of videos: how far each is, downloads, a form for a new one. */
import { byId, make, tell } from "./elements.js";
import { address, ask, follow, inWords, isFinal } from "./server.js";

const FOLLOWED_AT_ONCE = 3; // browsers open six connections to a host

export class JobsPage {
  #shelf;
  #form = byId("new-video");
  #list = byId("videos");
  #notice = this.#form.querySelector("[role=alert]");
  #rows = new Map(); // by id: document, element, what ends following it
  #open = false;

  /** @param {AvatarShelf} shelf */
  constructor(shelf) {
    this.#shelf = shelf;
    shelf.addEventListener("changed", () => this.#offer());
    shelf.addEventListener("chosen", () => {
      if (shelf.chosen) this.#form.elements.avatar.value = shelf.chosen.id;
    });
    this.#form.elements.background.addEventListener("change", () => this.#turn());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  async open() {
    this.#open = true;
    try {
      const videos = await ask("/v1/videos");
      this.#forget();
      for (const video of videos) this.#add(video);
      this.#list.replaceChildren(...[...this.#rows.values()].map(({ element }) => element));
      tell(this.#notice, "");
    } catch (error) {
      tell(this.#notice, inWords(error));
    }
    this.#settle();
  }

  /** Follow nothing while nobody looks. */
  close() {
    this.#open = false;
    this.#forget();
  }

  #offer() {
    const options = this.#shelf.ready.map(({ id }) => make("option", { value: id }, id));
    this.#form.elements.avatar.replaceChildren(...options);
  }

  /** Ask for a colour or a file where one is wanted as background. */
  #turn() {
    const { background, color, picture } = this.#form.elements;
    for (const input of [color, picture]) {
      input.closest("label").hidden = background.value !== input.name;
    }
  }

  async #submit() {
    const form = new FormData(this.#form);
    if (!form.get("audio").size) form.delete("audio");
    if (!form.get("text").trim()) form.delete("text");
    const other = form.get(form.get("background")); // a colour or a file, where one is wanted
    if (other !== null) form.set("background", other);
    form.delete("color");
    form.delete("picture");
    const button = this.#form.querySelector("button");
    button.disabled = true;
    try {
      const video = await ask("/v1/videos", { form });
      this.#list.prepend(this.#add(video).element);
      this.#form.elements.text.value = this.#form.elements.audio.value = "";
      tell(this.#notice, "");
    } catch (error) {
      tell(this.#notice, inWords(error));
    } finally {
      button.disabled = false;
    }
    this.#settle();
  }

  #add(video) {
    const row = { video, element: make("li", { className: "panel" }), stop: null };
    this.#rows.set(video.id, row);
    this.#draw(row);
    return row;
  }

  /** Follow the oldest of those that are not done; say so where there is nothing. */
  #settle() {
    byId("no-videos").hidden = this.#rows.size > 0;
    const rows = [...this.#rows.values()].filter(({ video }) => !isFinal(video.status));
    rows.sort((first, second) => first.video.created_ms - second.video.created_ms);
    for (const row of rows.slice(0, this.#open ? FOLLOWED_AT_ONCE : 0)) {
      row.stop ??= follow(row.video.links.events, (event) => this.#moved(row, event));
    }
  }

  async #moved(row, event) {
    Object.assign(row.video, event);
    this.#draw(row);
    if (!isFinal(event.status)) return;
    row.video = await ask(row.video.links.self).catch(() => row.video); // its links and results
    if (!this.#rows.has(row.video.id)) return;
    this.#draw(row);
    this.#settle();
  }

  #draw({ video, element }) {
    const running = !isFinal(video.status);
    const when = new Date(video.created_ms).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const title = make("h2", {}, video.avatar, make("span", { className: "hint" }, when));
    const state = make("p", { className: "state" }, stateText(video));
    state.dataset.status = video.status;
    const parts = [make("div", { className: "row between" }, title, state)];
    if (running) {
      const bar = make("progress", { max: 1, value: video.progress });
      bar.setAttribute("aria-label", `Progress of the video of ${video.avatar}`);
      parts.push(bar);
    }
    if (video.error) parts.push(make("p", { className: "notice" }, reason(video.error)));
    parts.push(make("div", { className: "row" }, ...this.#actions(video, element)));
    element.replaceChildren(...parts);
  }

  #actions(video, element) {
    const remove = make("button", { type: "button", className: "quiet" },
      isFinal(video.status) ? "Remove" : "Cancel");
    remove.addEventListener("click", () => this.#remove(video.id));
    if (!video.links.file) return [remove];
    const file = address(video.links.file).href;
    const watch = make("button", { type: "button" }, "Watch");
    watch.addEventListener("click", () => {
      watch.disabled = true;
      const player = make("video", { src: file, controls: true, autoplay: true });
      const giveUp = () => {
        player.replaceWith(make("p", { className: "hint" }, "This browser does not play it."));
      };
      player.addEventListener("error", giveUp);
      player.addEventListener("loadedmetadata", () => player.videoWidth || giveUp());
      element.append(player);
    });
    const download = make("a", { href: file, download: "", className: "button" }, "Download");
    return [watch, download, remove];
  }

  async #remove(id) {
    try {
      await ask(`/v1/videos/${id}`, { method: "DELETE" });
    } catch (error) {
      if (error.status !== 404) return tell(this.#notice, inWords(error));
    }
    const row = this.#rows.get(id);
    row?.stop?.();
    row?.element.remove();
    this.#rows.delete(id);
    this.#settle();
  }

  #forget() {
    for (const { stop } of this.#rows.values()) stop?.();
    this.#rows.clear();
  }
}

function stateText({ status, stage, progress, results }) {
  if (status === "running") return `${stage ?? "running"}, ${Math.round(100 * progress)} %`;
  const seconds = results?.duration_s;
  return status === "succeeded" && seconds ? `done, ${seconds.toFixed(1)} s long` : status;
}

function reason({ detail, remedy }) {
  return [detail, remedy].filter(Boolean).join(" ");
}

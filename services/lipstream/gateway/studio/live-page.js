/** The page of a live session: start, type or speak, watch, interrupt. */
import { preview } from "./avatar-shelf.js";
import { byId, tell } from "./elements.js";
import { FacePanel } from "./face-panel.js";
import { LiveClient } from "./live-client.js";
import { LocalDrawing } from "./local-drawing.js";
import { Microphone } from "./microphone.js";
import { whyNoPictures } from "./pictures.js";
import { Player } from "./player.js";
import { inWords } from "./server.js";
import { whyNoDrawing } from "./splat-renderer.js";
import { ViewPanel } from "./view-panel.js";

const RATE_HZ = 24_000;
const PIECES_BEFORE = 15; // of 20 ms, kept from before speech was noticed
const FIGURES_EVERY_MS = 500;
const STATES = { connecting: "Connecting", idle: "Listening", speaking: "Speaking", closed: "Ended" };

export class LivePage {
  #shelf;
  #face = new FacePanel();
  #view = new ViewPanel();
  #drawing = null; // of this session, once it was drawn here
  #shown = Promise.resolve(); // as the view was, when all changes so far have been made
  #client = null;
  #player = null;
  #context = null;
  #microphone = null;
  #before = []; // the last pieces of the microphone
  #state = "closed";
  #ownVoice = false; // what it speaks came from the microphone
  #timer = 0;

  /** @param {AvatarShelf} shelf */
  constructor(shelf) {
    this.#shelf = shelf;
    shelf.addEventListener("chosen", () => this.#poster());
    this.#face.addEventListener("changed", () => this.#client?.control(this.#face.controls));
    this.#view.addEventListener("changed", () => {
      this.#shown = this.#shown.then(() => this.#turn());
    });
    byId("start").addEventListener("click", () => this.#start());
    byId("end").addEventListener("click", () => this.close());
    byId("interrupt").addEventListener("click", () => this.#interrupt());
    byId("microphone").addEventListener("click", () => this.#toggleMicrophone());
    byId("through").addEventListener("change", () => this.#client?.end());
    byId("sound").addEventListener("change", () => this.#mute());
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    byId("words").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#say();
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) this.#interrupt();
    });
  }

  /** End the session. */
  close() {
    this.#client?.close();
  }

  #poster() {
    const { chosen, ready } = this.#shelf;
    if (this.#client && this.#client.session.avatar !== chosen?.id) this.close();
    if (!this.#client) byId("picture").hidden = true;
    byId("poster").hidden = !chosen;
    if (chosen) {
      byId("poster").src = preview(chosen);
      byId("poster").alt = chosen.id;
    }
    byId("empty").hidden = ready.length > 0;
    byId("start").disabled = !chosen || this.#context !== null;
  }

  async #start() {
    tell(byId("notice"), "");
    byId("start").disabled = true;
    this.#show("connecting");
    // Begun by the click: browsers let no page sound by itself.
    const context = new AudioContext({ sampleRate: RATE_HZ, latencyHint: "interactive" });
    this.#context = context;
    try {
      const running = context.resume();
      const { output, view: { background, framing } } = this.#view;
      const avatar = this.#shelf.chosen.id;
      const size = Number(byId("size").value);
      const reason = output === "motion" ? whyNoDrawing() : await whyNoPictures();
      if (reason) throw new Error(reason);
      if (output === "motion") {
        this.#drawing = await LocalDrawing.open(avatar, { sizePx: size, background, framing });
      }
      await running;
      const client = await LiveClient.open({
        avatar,
        output,
        size,
        background,
        voice: byId("voice").value,
        sample_rate: RATE_HZ,
        controls: { ...this.#face.controls, framing },
      });
      this.#attend(client, new Player(client, byId("picture"), context));
    } catch (error) {
      tell(byId("notice"), inWords(error));
      this.#over();
    }
  }

  #attend(client, player) {
    this.#client = client;
    this.#player = player;
    player.drawing = this.#drawing;
    client.addEventListener("session.state_updated", ({ detail }) => this.#show(detail.state));
    client.addEventListener("error", ({ detail }) => {
      tell(byId("notice"), `${detail.detail} ${detail.remedy ?? ""}`);
    });
    client.addEventListener("connection", ({ detail }) => this.#connection(detail));
    player.addEventListener("failed", ({ detail }) => this.#fail(detail));
    player.addEventListener("first-picture", ({ detail }) => {
      byId("first").textContent = `${Math.round(detail)} ms`;
    });
    this.#timer = setInterval(() => this.#figures(), FIGURES_EVERY_MS);
    this.#mute();
    client.connect();
    this.#poster(); // another may have been chosen meanwhile
  }

  /** Show the picture as the panel says, while a session runs. */
  async #turn() {
    const [client, player] = [this.#client, this.#player];
    if (!client) return;
    const { output, view } = this.#view;
    try {
      if (output === "motion") await this.#drawHere(client, player, view);
    } catch (error) {
      this.#fail(error);
      return;
    }
    client.show({ output, ...view });
  }

  async #drawHere({ session }, player, view) {
    if (this.#drawing) {
      await this.#drawing.show(view);
      return;
    }
    const reason = whyNoDrawing();
    if (reason) throw new Error(reason);
    const drawing = await LocalDrawing.open(session.avatar, { sizePx: session.size, ...view });
    if (player !== this.#player) {
      drawing.close(); // the session is over
      return;
    }
    this.#drawing = player.drawing = drawing;
  }

  /** What is not drawn here, the server draws. */
  #fail(error) {
    tell(byId("notice"), inWords(error));
    if (this.#view.output !== "motion") return;
    this.#view.giveBack();
    this.#client?.show({ output: "video" });
  }

  #connection(state) {
    if (state === "ended") {
      this.#over();
      return;
    }
    if (state === "lost") byId("state").textContent = "Connecting again";
    this.#enable(state === "open");
    if (state === "open") this.#client.control(this.#face.controls); // changed while it was lost
    // Not where that would bring up a keyboard over the picture.
    if (state === "open" && matchMedia("(hover: hover)").matches) byId("words").focus();
  }

  #over() {
    clearInterval(this.#timer);
    this.#silence();
    this.#player?.close();
    this.#context?.close();
    this.#drawing?.close();
    this.#client = this.#player = this.#context = this.#drawing = null;
    this.#enable(false);
    this.#show("closed");
    this.#poster();
  }

  #enable(open) {
    for (const id of ["speak", "interrupt", "end", "microphone"]) byId(id).disabled = !open;
    byId("start").hidden = byId("size").disabled = this.#client !== null;
  }

  #show(state) {
    this.#state = state;
    byId("state").textContent = STATES[state] ?? state;
    byId("state").dataset.state = state;
  }

  #say() {
    const text = byId("words").value.trim();
    if (!text || byId("speak").disabled) return;
    tell(byId("notice"), "");
    if (this.#state !== "speaking") this.#player.asked();
    this.#ownVoice = false;
    this.#client.say(text, byId("voice").value);
    byId("words").value = "";
  }

  #interrupt() {
    if (byId("interrupt").disabled) return;
    this.#player.hush();
    this.#client.interrupt();
  }

  #mute() {
    if (this.#player) this.#player.sound.muted = !byId("sound").checked;
  }

  async #toggleMicrophone() {
    if (this.#microphone) {
      this.#silence();
      return;
    }
    byId("microphone").disabled = true;
    try {
      const opened = await Microphone.open(RATE_HZ, (piece, voice) => this.#hear(piece, voice));
      if (!this.#client) {
        opened.close();
        return;
      }
      this.#microphone = opened;
      byId("microphone").setAttribute("aria-pressed", "true");
    } catch (error) {
      tell(byId("notice"), `No sound from the microphone. ${error.message}`);
    } finally {
      byId("microphone").disabled = !this.#client;
    }
  }

  #silence() {
    if (!this.#microphone) return;
    this.#microphone.close();
    this.#microphone = null;
    this.#before = [];
    this.#client?.end();
    byId("level").style.removeProperty("--level");
    byId("microphone").setAttribute("aria-pressed", "false");
  }

  /** Whoever speaks while the avatar does interrupts it, unless it only passes on their voice. */
  #hear(piece, voice) {
    byId("level").style.setProperty("--level", Math.min(1, 6 * voice.level));
    if (!this.#client) return;
    const through = byId("through").checked;
    if (voice.began) {
      const interrupts = this.#state === "speaking" && !(through && this.#ownVoice);
      if (interrupts) this.#interrupt();
      if (through) {
        if (interrupts || this.#state !== "speaking") this.#player.asked();
        this.#ownVoice = true;
        for (const earlier of this.#before) this.#client.speak(earlier);
      }
    }
    if (through && voice.speaking) this.#client.speak(piece);
    if (through && voice.ended) this.#client.end();
    this.#before.push(piece);
    if (this.#before.length > PIECES_BEFORE) this.#before.shift();
  }

  #figures() {
    const { fps, late, driftMs } = this.#player.figures();
    byId("fps").textContent = `${fps.toFixed(1)} /s`;
    byId("late").textContent = String(late);
    byId("drift").textContent = driftMs === null ? "–" : `${driftMs.toFixed(0)} ms`;
  }
}

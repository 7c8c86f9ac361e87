/** Makes an avatar from a photo or video, a file's or the camera's, and says how it goes. */
import { byId, tell } from "./elements.js";
import { whyNot } from "./microphone.js";
import { ask, follow, inWords, isFinal } from "./server.js";

const PHOTO_PX = 1080;

/** Events: "closed" (detail: id of the avatar that was made, or null). */
export class AvatarDialog extends EventTarget {
  #dialog = byId("avatar-dialog");
  #form = byId("avatar-form");
  #file = byId("photo");
  #preview = byId("photo-preview");
  #clip = byId("clip-preview");
  #camera = byId("camera");
  #cameraButton = byId("camera-button");
  #notice = byId("fit-notice");
  #state = byId("fit-state");
  #progress = byId("fit-progress");
  #create = byId("avatar-create");
  #photo = null;
  #made = null;
  #stop = () => {};

  constructor() {
    super();
    this.#file.addEventListener("change", () => this.#show(this.#file.files[0]));
    this.#cameraButton.addEventListener("click", () => this.#useCamera());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("avatar-cancel").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => {
      this.#darken();
      this.#stop();
      this.#tellClosed();
    });
  }

  open() {
    this.#form.reset();
    this.#show(null);
    this.#tell("", "");
    this.#create.disabled = false;
    this.#made = null;
    this.#dialog.showModal();
  }

  #show(photo) {
    this.#darken();
    this.#photo = photo;
    const place = photo?.type.startsWith("video/") ? this.#clip : this.#preview;
    for (const preview of [this.#preview, this.#clip]) {
      URL.revokeObjectURL(preview.src);
      preview.hidden = !photo || preview !== place;
      preview.removeAttribute("src");
    }
    if (photo) place.src = URL.createObjectURL(photo);
  }

  /** First to look into the camera, then to take the picture. */
  async #useCamera() {
    if (this.#camera.srcObject) {
      this.#file.value = "";
      this.#show(await this.#taken());
      return;
    }
    this.#show(null);
    try {
      if (!navigator.mediaDevices) throw new DOMException("", "SecurityError");
      const video = { width: { ideal: PHOTO_PX }, height: { ideal: PHOTO_PX }, facingMode: "user" };
      this.#camera.srcObject = await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      this.#tell("", `No picture from the camera. ${whyNot(error)}`);
      return;
    }
    this.#tell("", "");
    this.#camera.hidden = false;
    this.#cameraButton.textContent = "Take the photo";
  }

  #taken() {
    const { videoWidth: width, videoHeight: height } = this.#camera;
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    canvas.getContext("2d").drawImage(this.#camera, 0, 0);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  }

  #darken() {
    this.#camera.srcObject?.getTracks().forEach((track) => track.stop());
    this.#camera.srcObject = null;
    this.#camera.hidden = true;
    this.#cameraButton.textContent = "Use the camera";
  }

  async #submit() {
    if (!this.#photo) {
      this.#tell("", "Choose a photo or a video, or take a photo.");
      return;
    }
    const form = new FormData();
    form.set("photo", this.#photo, "photo");
    form.set("name", byId("avatar-name").value);
    form.set("consent", byId("consent").value);
    this.#create.disabled = true;
    this.#tell("Looking at the photo", "");
    try {
      const avatar = await ask("/v1/avatars", { form });
      if (this.#dialog.open) this.#watch(avatar);
      else this.#tellClosed(); // before there was anything to tell of
    } catch (error) {
      this.#failed(inWords(error));
    }
  }

  #watch(avatar) {
    this.#progress.hidden = false;
    this.#stop = follow(avatar.links.events, (event) => {
      this.#progress.value = event.progress;
      if (!isFinal(event.status)) {
        this.#tell(event.status === "queued" ? "Waiting for its turn" : "Making the avatar", "");
      } else if (event.status === "succeeded") {
        this.#made = avatar.id;
        this.#dialog.close();
      } else {
        const error = event.error;
        this.#failed(error ? `${error.detail} ${error.remedy ?? ""}` : "It was cancelled.");
      }
    });
  }

  #tellClosed() {
    this.dispatchEvent(new CustomEvent("closed", { detail: this.#made }));
  }

  #failed(reason) {
    this.#create.disabled = false;
    this.#tell("", reason);
  }

  #tell(state, failure) {
    this.#state.textContent = state;
    if (!state) this.#progress.hidden = true;
    tell(this.#notice, failure);
  }
}

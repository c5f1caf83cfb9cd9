/** The camera: asked for on a click alone, and let go as soon as a picture is taken. */

import { make } from "./dom.js";
import { pixelsOf } from "./picture_files.js";
import { say } from "./words.js";

const IDEAL_WIDTH = 640; // more would only be made smaller

export class CameraBox {
  /** @param {function({width: number, height: number, data: Uint8ClampedArray}): void} taken */
  constructor(taken) {
    this.taken = taken;
    this.stream = null;
    this.told = make("p", { class: "note", role: "status" });
    this.video = make("video", {
      class: "camera",
      autoplay: true,
      playsinline: true,
      hidden: true,
    });
    this.video.muted = true;
    this.start = make(
      "button",
      { type: "button", onclick: () => this.open() },
      say("Use the camera"),
    );
    this.take = make(
      "button",
      { type: "button", class: "primary", hidden: true, onclick: () => this.picture() },
      say("Take the picture"),
    );
    this.stop = make(
      "button",
      { type: "button", hidden: true, onclick: () => this.close() },
      say("Stop"),
    );
    this.element = make(
      "div",
      { class: "camera-box" },
      make("p", { class: "note" }, say("The picture stays in this page; nothing is sent.")),
      this.video,
      make("div", { class: "buttons" }, this.start, this.take, this.stop),
      this.told,
    );
  }

  async open() {
    this.told.textContent = "";
    try {
      if (!navigator.mediaDevices?.getUserMedia) throw new DOMException("", "NotSupportedError");
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: IDEAL_WIDTH } },
      });
      this.video.srcObject = this.stream;
    } catch (error) {
      this.told.textContent = whyNoCamera(error.name);
    }
    this.showState();
  }

  picture() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth === 0) return; // its first frame has not come yet
    this.taken(pixelsOf(this.video, videoWidth, videoHeight));
    this.close();
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
    this.showState();
  }

  showState() {
    const isOn = this.stream !== null;
    this.video.hidden = this.take.hidden = this.stop.hidden = !isOn;
    this.start.hidden = isOn;
  }
}

/** Say why a camera gives no picture, by the name of the browser's error. */
function whyNoCamera(name) {
  switch (name) {
    case "NotFoundError":
    case "OverconstrainedError":
      return say("No camera was found. Connect one, or choose a picture instead.");
    case "NotAllowedError":
    case "SecurityError":
      return say(
        "The camera was not allowed. Allow it for this page, or choose a picture instead.",
      );
    case "NotReadableError":
    case "AbortError":
      return say("The camera is in use by another program. Close that, and try again.");
    default:
      return say("This browser gives this page no camera. Choose a picture instead.");
  }
}

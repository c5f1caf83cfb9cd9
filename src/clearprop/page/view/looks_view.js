/** Where a network looks in a picture: what its answer hangs on, and where its maps speak for it. */

import { classActivation, hasConvolution, saliency } from "../engine/explain.js";
import { make } from "./dom.js";
import { heatedPicture } from "./heated_picture.js";
import { samplePicture } from "./pictures.js";
import { say } from "./words.js";

/** Milliseconds without another picture after which it is computed. */
const LOOK_REST = 150;

export class LooksView {
  /** @param {Object} network */
  constructor(network) {
    this.network = network;
    this.given = make("div", { class: "look-picture" });
    this.hanging = make("div", { class: "look-picture" });
    this.speaking = hasConvolution(network) ? make("div", { class: "look-picture" }) : null;
    this.element = make(
      "div",
      { class: "looks" },
      lookFigure(this.given, say("What the network gets")),
      lookFigure(this.hanging, say("What the answer hangs on")),
      this.speaking && lookFigure(this.speaking, say("Where the last convolution speaks for it")),
    );
  }

  /** Show no picture. */
  clear() {
    clearTimeout(this.resting);
    for (const picture of [this.given, this.hanging, this.speaking]) picture?.replaceChildren();
  }

  /**
   * Show a picture, and where the network looks once that has been computed.
   *
   * @param {Float64Array} x - One prepared sample.
   * @param {number} answer - The class that is answered; 0 of values.
   */
  show(x, answer) {
    this.clear();
    const { inputShape } = this.network;
    this.given.append(samplePicture(x, inputShape, say("The picture as the network gets it")));
    this.resting = setTimeout(() => this.look(x, answer), LOOK_REST);
  }

  look(x, answer) {
    const { network } = this;
    const hanging = say("The picture; the more orange a place, the more the answer hangs on it");
    const shown = (heat, label) => heatedPicture(x, network.inputShape, heat, label);
    this.hanging.replaceChildren(shown(saliency(network, x, 1, answer), hanging));
    const speaking = say("The picture; the more orange a place, the more it speaks for the answer");
    this.speaking?.replaceChildren(shown(classActivation(network, x, 1, answer), speaking));
  }
}

function lookFigure(picture, caption) {
  return make("figure", { class: "look" }, picture, make("figcaption", {}, caption));
}

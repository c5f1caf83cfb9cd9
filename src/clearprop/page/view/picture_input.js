/** A picture of one's own: drawn, dropped, chosen or taken, as the network gets it, and the answer. */

import { AnswerView, answersTo } from "./answer_view.js";
import { CameraBox } from "./camera.js";
import { make } from "./dom.js";
import { coloursOfPictures, figureOfPictures, sheetFor, USUAL_PEN } from "./drawing.js";
import { DrawingPad } from "./drawing_pad.js";
import { inverted, unlikeness } from "./likeness.js";
import { LooksView } from "./looks_view.js";
import { readPictureFile } from "./picture_files.js";
import { drawnWhenSeen } from "./seeing.js";
import { say } from "./words.js";

/** The share of training pictures without colour from which on a drawing is one of them. */
const MOSTLY_GREY = 0.9;

/**
 * Return the panel's elements for a model of pictures.
 *
 * @param {Object} context
 * @returns {HTMLElement}
 */
export function pictureInput(context) {
  return new PictureInput(context).element;
}

class PictureInput {
  constructor({ model, samples, store, figure = null }) {
    this.model = model;
    this.store = store;
    this.recipe = model.inputs;
    this.picture = null; // that is asked about
    this.figure =
      isDrawable(this.recipe) && samples?.arePictures ? figureOf(samples, this.recipe) : figure;
    this.answer = new AnswerView(model);
    this.inverts = make("input", { type: "checkbox", onchange: () => this.ask() });
    this.looks = new LooksView(model.network);
    this.told = make("p", { class: "play-told", role: "alert" });
    this.noted = make("p", { class: "own-note note", role: "status" });
    this.turn = 0; // of what is taken: a file that takes long must not come after a later one
    this.ways = this.waysIn();
    this.inversion = make(
      "label",
      { class: "field small" },
      this.inverts,
      say("change light and dark"),
    );
    this.tabs = make("div", {
      class: "choices",
      role: "group",
      "aria-label": say("Where the picture comes from"),
    });
    this.element = make(
      "div",
      { class: "own" },
      make(
        "div",
        { class: "own-in" },
        this.tabs,
        this.ways.map(({ element }) => element),
        this.told,
        this.noted,
        this.inversion,
      ),
      make(
        "div",
        { class: "own-out" },
        this.answer.element,
        this.looks.element,
      ),
    );
    this.ask = drawnWhenSeen(this.element, store, ["epoch"], () => this.answerNow());
    this.choose(this.ways[0]);
  }

  waysIn() {
    const file = { name: say("Choose"), element: this.fileBox() };
    const camera = { name: say("Camera"), box: new CameraBox((picture) => this.take(picture)) };
    camera.element = camera.box.element;
    camera.left = () => camera.box.close();
    return [...(isDrawable(this.recipe) ? [this.drawingWay()] : []), file, camera];
  }

  drawingWay() {
    const colours = coloursOfPictures(this.recipe.likeness ?? null);
    const pad = new DrawingPad({
      size: this.recipe.size,
      colours,
      pen: this.figure?.pen ?? USUAL_PEN,
      changed: (drawing) => this.takeDrawing(drawing, colours),
    });
    const brings = make("input", {
      type: "checkbox",
      checked: true,
      onchange: () => this.takeDrawing(pad.drawing, colours),
    });
    this.brings = brings;
    const hint = make(
      "label",
      { class: "field small", hidden: this.figure === null },
      brings,
      say("bring it to the size and the middle of training pictures"),
    );
    return { name: say("Draw"), draws: true, element: make("div", {}, pad.element, hint) };
  }

  fileBox() {
    const file = make("input", {
      type: "file",
      accept: "image/*",
      "aria-label": say("A picture"),
      onchange: () => this.takeFile(file.files[0]),
    });
    const box = make(
      "div",
      {
        class: "drop",
        ondragover: (event) => {
          event.preventDefault();
          box.classList.add("over");
        },
        ondragleave: () => box.classList.remove("over"),
        ondrop: (event) => {
          event.preventDefault();
          box.classList.remove("over");
          this.takeFile(event.dataTransfer.files[0]);
        },
      },
      make("p", {}, say("Drop a picture here, or choose one.")),
      file,
      make("p", { class: "note" }, say("It stays in this page; nothing is sent.")),
    );
    return box;
  }

  choose(way) {
    this.inversion.hidden = way.draws === true;
    this.inverts.checked = false;
    this.ask();
    for (const one of this.ways) {
      one.element.hidden = one !== way;
      if (one !== way) one.left?.();
    }
    this.tabs.replaceChildren(
      ...this.ways.map((one) =>
        make(
          "button",
          { type: "button", "aria-pressed": String(one === way), onclick: () => this.choose(one) },
          one.name,
        ),
      ),
    );
  }

  takeDrawing(drawing, colours) {
    if (drawing.isEmpty) {
      this.take(null);
      return;
    }
    const sheet = sheetFor(this.recipe.size);
    drawing.paint(sheet, colours, this.brings?.checked === false ? null : this.figure);
    const { width, height } = sheet;
    const { data } = sheet.getContext("2d").getImageData(0, 0, width, height);
    this.take({ width, height, data });
  }

  async takeFile(file) {
    if (file === undefined) return;
    this.turn += 1;
    const { turn } = this;
    this.told.textContent = "";
    this.noted.textContent = say("Reading {name} ...", { name: file.name });
    try {
      const picture = await readPictureFile(file);
      if (turn === this.turn) this.take(picture);
    } catch (error) {
      if (turn !== this.turn) return;
      this.told.textContent = error.message;
      this.noted.textContent = "";
    }
  }

  take(picture) {
    this.turn += 1;
    this.picture = picture;
    this.told.textContent = "";
    this.noted.textContent = picture?.note ?? "";
    this.ask?.();
  }

  answerNow() {
    if (this.picture === null) {
      this.looks.clear();
      this.answer.clear(say("The answer comes as soon as there is a picture."));
      return;
    }
    const { inputShape } = this.model.network;
    const x = this.model.prepare([this.inverts.checked ? inverted(this.picture) : this.picture]);
    const [answer] = answersTo(this.model, x, 1);
    this.answer.show(answer, x, (this.store.get("epoch") ?? null) === null);
    const unlike = unlikeness(x, inputShape, this.recipe.likeness ?? null);
    this.answer.note(unlike === null ? [] : [unlike]);
    this.looks.show(x, answer.place ?? 0);
  }
}

/** Whether what a pen draws can be one of the pictures that a recipe is of. */
function isDrawable({ channels, likeness }) {
  return channels === 1 || (likeness?.grey ?? 0) > MOSTLY_GREY;
}

function figureOf(samples, { size, channels }) {
  return channels === 1 ? figureOfPictures(samples.inputs, size) : null;
}

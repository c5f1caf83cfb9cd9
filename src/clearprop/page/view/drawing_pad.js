/** A sheet to draw on: with a pen, a finger, a mouse, or the arrow keys. */

import { make, setStyle } from "./dom.js";
import { Drawing, sheetFor } from "./drawing.js";
import { say } from "./words.js";

/** How far an arrow key moves the pen, in heights of the sheet. */
const KEY_STEP = 1 / 24;

const KEY_MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class DrawingPad {
  /**
   * @param {object} options
   * @param {Array<number>} options.size - Height and width of the network's pictures.
   * @param {{ink: string, paper: string}} options.colours
   * @param {number} options.pen - The width of strokes, in heights of the sheet.
   * @param {function(Drawing): void} options.changed - Told after every change of the drawing.
   */
  constructor({ size, colours, pen, changed }) {
    this.colours = colours;
    this.changed = changed;
    this.drawing = new Drawing(size[1] / size[0], pen);
    this.sheet = sheetFor(size);
    this.place = { x: this.drawing.aspect / 2, y: 0.5, isDown: false };
    this.mark = make("div", { class: "pad-pen", hidden: true });
    this.sheet.setAttribute("aria-hidden", "true");
    this.hint = make("span", { class: "pad-hint", "aria-hidden": "true" }, say("Draw here"));
    this.field = make(
      "div",
      {
        class: "pad",
        tabindex: 0,
        role: "application",
        "aria-label": say(
          "Sheet to draw on. Arrow keys move the pen, space puts it down or lifts it, Backspace " +
            "takes the last stroke back, Delete clears the sheet.",
        ),
        onpointerdown: (event) => this.press(event),
        onpointermove: (event) => this.follow(event),
        onkeydown: (event) => this.key(event),
        onblur: () => this.lift(),
      },
      this.sheet,
      this.hint,
      this.mark,
    );
    setStyle(this.field, { "aspect-ratio": `${size[1]} / ${size[0]}` });
    this.undo = padButton(say("Undo"), () => this.takeBack());
    this.clear = padButton(say("Clear"), () => this.wipe());
    this.element = make(
      "div",
      { class: "pad-box" },
      this.field,
      make("div", { class: "buttons" }, this.undo, this.clear),
    );
    this.paint();
  }

  press(event) {
    if (event.button !== 0) return;
    this.field.setPointerCapture(event.pointerId);
    this.mark.hidden = true;
    this.drawing.begin(...this.placeOf(event));
    this.paint();
  }

  follow(event) {
    if (!this.field.hasPointerCapture(event.pointerId)) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length > 0 ? between : [event]) {
      this.drawing.drawTo(...this.placeOf(one));
    }
    this.paint();
  }

  placeOf(event) {
    const box = this.sheet.getBoundingClientRect();
    return [(event.clientX - box.left) / box.height, (event.clientY - box.top) / box.height];
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = KEY_MOVES[event.key];
    if (move) this.moveBy(...move);
    else if (event.key === " ") this.dip();
    else if (event.key === "Backspace") this.takeBack();
    else if (event.key === "Delete") this.wipe();
    else return;
    event.preventDefault();
  }

  moveBy(across, down) {
    const { x, y } = this.drawing.within(
      this.place.x + across * KEY_STEP,
      this.place.y + down * KEY_STEP,
    );
    Object.assign(this.place, { x, y });
    this.showPen();
    if (!this.place.isDown) return;
    this.drawing.drawTo(x, y);
    this.paint();
  }

  dip() {
    this.place.isDown = !this.place.isDown;
    this.showPen();
    if (!this.place.isDown) return;
    this.drawing.begin(this.place.x, this.place.y);
    this.paint();
  }

  lift() {
    this.place.isDown = false;
    this.mark.hidden = true;
  }

  takeBack() {
    this.place.isDown = false;
    this.drawing.undo();
    this.paint();
  }

  wipe() {
    this.place.isDown = false;
    this.drawing.clear();
    this.paint();
  }

  showPen() {
    this.mark.hidden = false;
    this.mark.classList.toggle("down", this.place.isDown);
    setStyle(this.mark, {
      left: `${(100 * this.place.x) / this.drawing.aspect}%`,
      top: `${100 * this.place.y}%`,
    });
  }

  paint() {
    this.drawing.paint(this.sheet, this.colours);
    this.undo.disabled = this.clear.disabled = this.drawing.isEmpty;
    this.hint.hidden = !this.drawing.isEmpty;
    this.changed(this.drawing);
  }
}

function padButton(text, onclick) {
  return make("button", { type: "button", onclick }, text);
}

/** What a panel shows as a file: an SVG or a canvas, several on top of each other, or a text. */

import { make, svg } from "./dom.js";
import { say } from "./words.js";

/** Pixels of a saved picture to one of the page: sharp in print, too. */
const SCALE = 3;

/**
 * The properties that a drawing takes from the page's style sheets, and loses outside of it: those
 * that an element hands down, and its own with their first values.
 */
const HANDED_DOWN = [
  ...["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"],
  ...["stroke-linecap", "stroke-linejoin", "visibility", "dominant-baseline"],
  ...["font-family", "font-size", "font-weight", "text-anchor"],
];
const ITS_OWN = { opacity: "1", display: "inline" };

/**
 * Return the buttons that save a picture as SVG and as PNG.
 *
 * @param {string} name - What is seen, which becomes the file's name.
 * @param {function(): Array<SVGSVGElement|HTMLCanvasElement>} layers - What lies on top of each
 *   other, the lowest first; all have the place of the first.
 * @returns {HTMLElement}
 */
export function savingButtons(name, layers) {
  const button = (kind, blobOf) =>
    make(
      "button",
      {
        type: "button",
        class: "plain save",
        "aria-label": say("Save {name} as {kind}", { name, kind }),
        onclick: async () =>
          saveFile(await blobOf(layers()), `${fileName(name)}.${kind.toLowerCase()}`),
      },
      kind,
    );
  return make("span", { class: "saving" }, button("SVG", svgBlob), button("PNG", pngBlob));
}

/**
 * Let the browser save a file.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // a browser may ask where to put it
}

/** Return a file's name for what a person calls it. */
function fileName(name) {
  return (
    name
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "")
      .toLowerCase() || "picture"
  );
}

/**
 * Return a drawing as a text that shows the same outside of the page.
 *
 * @param {Array<SVGSVGElement|HTMLCanvasElement>} layers - The lowest first.
 * @returns {string}
 */
function standaloneSvg(layers) {
  const { width, height } = layers[0].getBoundingClientRect();
  const whole = svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}` },
    svg("rect", { width, height, fill: paperBehind(layers[0]) }),
    layers.map((layer) => (layer instanceof SVGElement ? drawnAlone(layer) : pixelsAlone(layer))),
  );
  return new XMLSerializer().serializeToString(whole);
}

async function svgBlob(layers) {
  return new Blob([standaloneSvg(layers)], { type: "image/svg+xml" });
}

async function pngBlob(layers) {
  const address = URL.createObjectURL(await svgBlob(layers));
  try {
    const picture = make("img", { src: address });
    await picture.decode();
    const [width, height] = [picture.naturalWidth, picture.naturalHeight];
    const canvas = make("canvas", { width: SCALE * width, height: SCALE * height });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return await new Promise((done) => canvas.toBlob(done, "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

/** A copy of a drawing that has as attributes what the style sheets say of it. */
function drawnAlone(drawing) {
  const { width, height } = drawing.getBoundingClientRect();
  const copy = drawing.cloneNode(true);
  const copies = [copy, ...copy.querySelectorAll("*")];
  [drawing, ...drawing.querySelectorAll("*")].forEach((element, at) => {
    const style = getComputedStyle(element);
    const above = at === 0 ? null : getComputedStyle(element.parentElement);
    for (const name of ["class", "style", "tabindex"]) copies[at].removeAttribute(name);
    for (const name of HANDED_DOWN) {
      const value = style.getPropertyValue(name);
      if (value === above?.getPropertyValue(name)) copies[at].removeAttribute(name);
      else copies[at].setAttribute(name, value);
    }
    for (const [name, first] of Object.entries(ITS_OWN)) {
      const value = style.getPropertyValue(name);
      if (value !== first) copies[at].setAttribute(name, value);
    }
  });
  copy.setAttribute("width", width);
  copy.setAttribute("height", height);
  if (!drawing.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return copy;
}

function pixelsAlone(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  return svg("image", {
    href: canvas.toDataURL("image/png"),
    width,
    height,
    preserveAspectRatio: "none",
  });
}

/** The colour of what lies behind an element: of the first above it that has one. */
function paperBehind(element) {
  for (let above = element; above !== null; above = above.parentElement) {
    const { backgroundColor } = getComputedStyle(above);
    if (!/^rgba\(.*, 0\)$|^transparent$/.test(backgroundColor)) return backgroundColor;
  }
  return "white";
}

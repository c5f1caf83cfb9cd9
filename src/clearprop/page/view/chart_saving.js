/** A chart as a file of its own: its lines with the title and the names that the page has beside them. */

import { svg } from "./dom.js";
import { hueOf } from "./plot.js";
import { savingButtons } from "./saving.js";

const PICTURE_HEAD = { title: 16, names: 36, height: 48 }; // pixels
const LETTER = 7; // pixels that a letter takes, about
const BETWEEN = 40;

/**
 * Return the buttons that save a chart.
 *
 * @param {import("./plot.js").LineChart} chart
 * @returns {HTMLElement}
 */
export function chartSaving(chart) {
  return savingButtons(chart.title, () => {
    const picture = wholePicture(chart);
    chart.element.append(picture); // for as long as its styles are read
    setTimeout(() => picture.remove());
    return [picture];
  });
}

function wholePicture({ title, shown, drawing, width, height }) {
  const names = shown.lines.filter(({ name }) => name !== "").map(({ name }) => name);
  let x = 0;
  const legend = names.map((name, place) => {
    const text = svg("text", { class: "plot-tick", x, y: PICTURE_HEAD.names }, name);
    text.style.fill = hueOf(place);
    x += LETTER * name.length + BETWEEN;
    return text;
  });
  const lines = [...drawing.childNodes].map((node) => node.cloneNode(true));
  return svg(
    "svg",
    {
      class: "offstage",
      width,
      height: height + PICTURE_HEAD.height,
      viewBox: `0 0 ${width} ${height + PICTURE_HEAD.height}`,
      "aria-hidden": "true",
    },
    svg("text", { class: "plot-title", x: 0, y: PICTURE_HEAD.title }, title),
    legend,
    svg("g", { transform: `translate(0 ${PICTURE_HEAD.height})` }, lines),
  );
}

/** One's own input: draw, drop or take a picture, or fill in a row, and see what is answered. */

import { make } from "./dom.js";
import { pictureInput } from "./picture_input.js";
import { rowFields } from "./row_fields.js";
import { rowInput } from "./row_input.js";
import { say } from "./words.js";

/**
 * The panel of a person's own input.
 *
 * @param {Object} context
 * @returns {HTMLElement}
 */
export function ownInputPanel(context) {
  const { inputs } = context.model;
  if (inputs === null) {
    return whyNoInput(
      say("The model has no recipe, so nobody knows how input was prepared for it."),
    );
  }
  if (inputs.size) return pictureInput(context);
  const fields = rowFields(inputs);
  if (fields !== null) return rowInput(context, fields);
  return whyNoInput(
    say("The model takes arrays of shape {shape}: too many numbers to fill in by hand.", {
      shape: (inputs.shape ?? inputs.inputShape ?? []).join(" × "),
    }),
  );
}

function whyNoInput(text) {
  return make("p", { class: "note" }, text);
}

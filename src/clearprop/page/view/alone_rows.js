/** The page of one model of rows begins here: of a table, or of numbers. */

import { showAlone } from "./alone.js";
import { numbersInput } from "./numbers_input.js";
import { rowFields } from "./row_fields.js";
import { rowInput } from "./row_input.js";
import { say } from "./words.js";

showAlone((context) => {
  const fields = fieldsOf(context.model);
  return fields === null ? numbersInput(context) : rowInput(context, fields);
}, expectedRow);

/** Return the fields that a row is filled in by; null where it is a text of numbers. */
function fieldsOf({ inputs }) {
  return inputs === null ? null : rowFields(inputs);
}

function expectedRow(model) {
  const { inputShape } = model.network;
  const fields = fieldsOf(model);
  if (model.inputs?.columns) return say("It takes a row of {count} columns.", { count: fields.length });
  return inputShape.length === 1
    ? say("It takes {count} numbers.", { count: inputShape[0] })
    : say("It takes an array of {shape} numbers.", { shape: inputShape.join(" × ") });
}

/** Answers questions about what one's own input and the playground compute, see conftest.py. */

import { createInterface } from "node:readline";

import { decodedBytes } from "../../src/clearprop/page/engine/base64.js";
import { openModel } from "../../src/clearprop/page/engine/model.js";
import { buildNetwork } from "../../src/clearprop/page/engine/network.js";
import { figureOfPictures, guessedFigure } from "../../src/clearprop/page/view/drawing.js";
import { unlikeness } from "../../src/clearprop/page/view/likeness.js";
import { pictureSize } from "../../src/clearprop/page/view/picture_files.js";
import {
  addressOf,
  fileOf,
  FIRST_SETTINGS,
  readAddress,
  readPlaygroundFile,
  readSetting,
} from "../../src/clearprop/page/view/playground_settings.js";
import {
  arraysOfPoints,
  classNamesOf,
  readPoints,
  readPointTable,
  writePoints,
} from "../../src/clearprop/page/view/points.js";
import { effectsOf } from "../../src/clearprop/page/view/row_effects.js";
import { isOutside, readCell, rowFields, valuesOfField } from "../../src/clearprop/page/view/row_fields.js";
import { PageTraining } from "../../src/clearprop/page/view/training.js";

const pointsIn = (text) => (text ? readPoints(text).points : []);
const fieldsOf = (model) => rowFields(openModel(decodedBytes(model)).inputs);

const ANSWERS = {
  points: ({ text }) => readPoints(text),
  table: ({ text, columns }) => {
    const table = readPointTable(text);
    const { names } = table;
    const [numbers, kinds] = [table.numericColumns(), table.classColumns()];
    const usual = table.usualColumns();
    return { names, numbers, kinds, usual, ...table.points(columns ?? usual) };
  },
  rewritten: ({ text }) => pointsIn(writePoints(pointsIn(text))),
  arrays: ({ text }) => {
    const classNames = classNamesOf(pointsIn(text));
    const { x, y } = arraysOfPoints(pointsIn(text), classNames);
    return { x: [...x], y: [...y], classNames };
  },

  size: ({ bytes }) => pictureSize(decodedBytes(bytes)),
  figure: ({ pictures, size }) => figureOfPictures(Float64Array.from(pictures), size),
  guessed: ({ likeness, size }) => guessedFigure(likeness, size),
  unlikeness: ({ values, shape, likeness }) =>
    unlikeness(Float64Array.from(values), shape, likeness),

  setting: ({ name, text }) => readSetting(name, text),
  address: ({ settings, text }) => addressOf({ ...FIRST_SETTINGS, ...settings }, pointsIn(text)),
  fromAddress: ({ hash }) => readAddress(hash),
  file: ({ settings, text }) => fileOf({ ...FIRST_SETTINGS, ...settings }, pointsIn(text)),
  fromFile: ({ text }) => readPlaygroundFile(text),

  fields: ({ model }) => fieldsOf(model),
  cell: ({ field, text }) => readCell(field, text),
  outside: ({ field, values }) => values.map((value) => isOutside(field, value)),
  values: ({ field, most }) => valuesOfField(field, most),

  /** How the first logit changes by column. */
  effects: ({ model, row, most }) => {
    const { network, inputs } = openModel(decodedBytes(model));
    const outputs = network.outputShape[0];
    const ask = (rows) =>
      network.forward(inputs.prepare(rows), rows.length).filter((_, at) => at % outputs === 0);
    const effects = effectsOf(rowFields(inputs), row, ask, most);
    return effects.map(({ field, ...effect }) => ({ name: field.name, ...effect }));
  },

  /** The losses of some updates, and of as many more with other settings. */
  training: ({ network, x, y, settings, updates, later }) => {
    const built = buildNetwork(network, 1);
    const train = { x: Float64Array.from(x), y: Float64Array.from(y), n: y.length };
    const training = new PageTraining({ network: built, train, test: null, settings });
    const losses = Array.from({ length: updates }, () => training.update());
    training.use({ ...settings, ...later });
    const more = later ? Array.from({ length: updates }, () => training.update()) : [];
    training.measure();
    const { hasDiverged, epoch, entries } = training;
    const isFinite = built.parameters.data.every(Number.isFinite);
    return { losses, more, hasDiverged, epoch, entries, finite: isFinite };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  let told;
  try {
    told = { value: ANSWERS[ask](question) ?? null };
  } catch (error) {
    told = { error: error.message };
  }
  console.log(JSON.stringify(told));
}

/** The page of one model of pictures begins here. */

import { showAlone } from "./alone.js";
import { guessedFigure } from "./drawing.js";
import { pictureInput } from "./picture_input.js";
import { say } from "./words.js";

showAlone(
  ({ model, ...context }) => {
    const { likeness, size } = model.inputs;
    return pictureInput({ model, figure: guessedFigure(likeness, size), ...context });
  },
  ({ inputs: { size, channels } }) => {
    const [height, width] = size;
    return channels === 1
      ? say("It takes a picture of any size, and brings it to {width} × {height} pixels of grey.", {
          width,
          height,
        })
      : say("It takes a picture of any size, and brings it to {width} × {height} pixels of colour.", {
          width,
          height,
        });
  },
);

/** The columns of a table's recipe: what the cells of each become, learned from training data. */

import { asDates, asNumbers, placesOfCategories } from "./cells.js";

const DATE_PARTS = ["days", "year", "month", "weekday", "hour"];
const SECONDS_OF_DAY = 86400;
const BOUND_OF_INPUTS = 3; // that no input of robust columns reaches

/** Base of the columns; a subclass has `inputs`, the names of its inputs, and `fill`. */
export class InputColumn {
  /** The kind of cells that it takes. */
  static role = "number";

  /** @param {object} fields - Those of the description in a model file. */
  constructor(fields) {
    Object.assign(this, fields);
  }

  /** The kind of cells that it takes. */
  get role() {
    return this.constructor.role;
  }

  /** The names of its inputs. */
  get inputs() {
    return [this.name];
  }

  /** The number of its inputs. */
  get width() {
    return this.inputs.length;
  }

  /**
   * Return the inputs of some cells.
   *
   * @param {Array<string|number|boolean|null>} cells - N cells; null is missing.
   * @param {TextForm} form - How text becomes cells.
   * @returns {number[][]} (N, width).
   * @throws {Error} If a cell can't be what the column takes.
   */
  fill(cells, form) {
    throw new Error(`${this.constructor.name} has no fill.`);
  }
}

/** One input: the standardised number, with the median in place of a missing one. */
export class NumericColumn extends InputColumn {
  fill(cells, form) {
    const numbers = asNumbers(cells, this.name, form);
    return Array.from(numbers, (number) => [
      ((Number.isNaN(number) ? this.median : number) - this.mean) / this.std,
    ]);
  }
}

/** One input for each category: 1 for the cell's own, 0 for the others; all 0 where not known. */
export class CategoricalColumn extends InputColumn {
  static role = "category";

  /** The names of its inputs: "city = Oslo". */
  get inputs() {
    return this.categories.map((one) => `${this.name} = ${one}`);
  }

  fill(cells, form) {
    return this.places(cells).map((place) => this.categories.map((_, at) => Number(at === place)));
  }

  /** Return the place of each cell's category; -1 where it is not known. */
  places(cells) {
    return Array.from(placesOfCategories(cells, this.categories));
  }
}

/**
 * Some inputs: days since 1970, year, month, weekday (Monday is 0), perhaps hour; standardised.
 *
 * A missing date is zero everywhere, which is the mean.
 */
export class DateColumn extends InputColumn {
  static role = "date";

  /** The names of its inputs, 4 or 5: "born: year". */
  get inputs() {
    return DATE_PARTS.slice(0, this.mean.length).map((part) => `${this.name}: ${part}`);
  }

  fill(cells, form) {
    return this.parts(cells, form).map((parts) =>
      this.mean.map((mean, i) => (parts === null ? 0 : (parts[i] - mean) / this.std[i])),
    );
  }

  /** Return the parts of each date; null where it is missing. */
  parts(cells, form) {
    const dates = asDates(cells, this.name, form);
    return Array.from(dates, (seconds) => (Number.isNaN(seconds) ? null : partsOfDate(seconds)));
  }
}

/** One input: the number itself. Nothing is known that could stand for a missing one. */
export class PlainColumn extends InputColumn {
  fill(cells, form) {
    return Array.from(asNumbers(cells, this.name, form), (number, row) => {
      if (Number.isNaN(number)) {
        throw new Error(
          `Row ${row + 1} of column "${this.name}" is missing, and the model does not know what to put there.`,
        );
      }
      return [number];
    });
  }
}

/** The number by its quartiles; with gaps in training, a second input says if it is missing. */
export class RobustColumn extends NumericColumn {
  /** The names of its inputs, 1 or 2: "age", "age is missing". */
  get inputs() {
    return this.gaps ? [this.name, `${this.name} is missing`] : [this.name];
  }

  fill(cells, form) {
    return Array.from(asNumbers(cells, this.name, form), (number) => {
      const isMissing = Number.isNaN(number);
      const away = isMissing ? 0 : (number - this.median) * this.scale;
      return this.gaps ? [smoothClip(away), isMissing ? 1 : -1] : [smoothClip(away)];
    });
  }
}

/** The parts of a date by their quartiles; those of a missing date are 0. */
export class RobustDates extends DateColumn {
  /** The names of its inputs: "born: year", and perhaps "born is missing". */
  get inputs() {
    return this.gaps ? [...super.inputs, `${this.name} is missing`] : super.inputs;
  }

  fill(cells, form) {
    return this.parts(cells, form).map((parts) => {
      const inputs = this.medians.map((median, i) =>
        parts === null ? 0 : smoothClip((parts[i] - median) * this.scales[i]),
      );
      return this.gaps ? [...inputs, parts === null ? 1 : -1] : inputs;
    });
  }
}

/**
 * Inputs of their own for few categories, by their quartiles as numbers are.
 *
 * Of two categories there is one input, 1 for the first and -1 for the second.
 */
export class RobustCategories extends CategoricalColumn {
  get inputs() {
    return this.categories.length === 2 ? super.inputs.slice(0, 1) : super.inputs;
  }

  fill(cells, form) {
    return this.places(cells).map((place) =>
      this.ones(place).map((one, i) => smoothClip((one - this.medians[i]) * this.scales[i])),
    );
  }

  ones(place) {
    if (this.categories.length === 2) {
      return [place === 0 ? 1 : place === 1 ? -1 : 0];
    }
    return this.categories.map((_, at) => Number(at === place));
  }
}

/** One input for many categories: 1, 2, ... for the cell's own, 0 for one that is not known. */
export class CodedColumn extends CategoricalColumn {
  get inputs() {
    return [this.name];
  }

  fill(cells, form) {
    return this.places(cells).map((place) => [place + 1]);
  }
}

/** Return z / sqrt(1 + (z / 3)^2), between -3 and 3 and z where it is small. */
function smoothClip(z) {
  return z / Math.hypot(1, z / BOUND_OF_INPUTS);
}

/** Return the numbers of a date in the order of `DATE_PARTS`. */
function partsOfDate(seconds) {
  const whole = Math.floor(seconds / SECONDS_OF_DAY);
  const rest = seconds - whole * SECONDS_OF_DAY;
  const day = new Date(whole * SECONDS_OF_DAY * 1000);
  return [
    whole + rest / SECONDS_OF_DAY,
    day.getUTCFullYear(),
    day.getUTCMonth() + 1,
    (((whole + 3) % 7) + 7) % 7, // 1970 began on a Thursday
    rest / 3600,
  ];
}

/** The recipe of tables: columns side by side. */

import { TextForm } from "./cells.js";

/** Columns of a table, each of which becomes some inputs of the network. */
export class TableRecipe {
  constructor({ columns, ignored = [], form = new TextForm() }) {
    this.columns = columns;
    this.ignored = ignored;
    this.form = form;
  }

  /** The shape [D], with an input for each numeric column and each category. */
  get inputShape() {
    return [this.columns.reduce((sum, { width }) => sum + width, 0)];
  }

  /** The name of each input. */
  get inputNames() {
    return this.columns.flatMap(({ inputs }) => inputs);
  }

  /**
   * Fill, standardise and encode rows.
   *
   * @param {Array<Object<string, string|number|boolean|null>>} rows - Column to value; null is
   *   missing. Columns that training did not have are passed over.
   * @returns {Float64Array} (N, D).
   * @throws {Error} If a column is missing, or a cell is of another kind.
   */
  prepare(rows) {
    const [width] = this.inputShape;
    const out = new Float64Array(rows.length * width);
    let first = 0;
    for (const column of this.columns) {
      const cells = rows.map((row) => this.cellOf(row, column.name));
      column.fill(cells, this.form).forEach((inputs, row) => {
        inputs.forEach((input, i) => {
          if (!Number.isFinite(input)) {
            throw new Error(
              `Row ${row + 1} of column "${column.name}" is ${cells[row]}, expected a finite number ` +
                "within reach of the training data.",
            );
          }
          out[row * width + first + i] = input;
        });
      });
      first += column.width;
    }
    return out;
  }

  cellOf(row, name) {
    if (!Object.hasOwn(row, name)) {
      throw new Error(`The column "${name}" is missing; found ${Object.keys(row).join(", ")}.`);
    }
    return row[name] ?? null;
  }
}

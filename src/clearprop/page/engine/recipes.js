/** Every class that the description of a recipe may name. */

import { TextForm } from "./cells.js";
import { byClassName } from "./configuration.js";
import { ArrayRecipe, Depth, Likeness, PictureRecipe } from "./picture_recipe.js";
import {
  CategoricalColumn,
  CodedColumn,
  DateColumn,
  NumericColumn,
  PlainColumn,
  RobustCategories,
  RobustColumn,
  RobustDates,
} from "./table_columns.js";
import { TableRecipe } from "./table_recipe.js";
import { ClassTarget, Coverage, PowerScale, ValueTarget } from "./targets.js";

/** The whole recipe, learned from training data, that prepares samples. */
export class Preprocessing {
  constructor({ inputs, target }) {
    this.inputs = inputs;
    this.target = target;
  }
}

/** Every class of recipes, by its name; features of a backbone can't be computed in a page. */
export const RECIPES = byClassName(
  ...[Preprocessing, PictureRecipe, Depth, Likeness, ArrayRecipe, TableRecipe, TextForm],
  ...[NumericColumn, CategoricalColumn, DateColumn, PlainColumn],
  ...[RobustColumn, RobustDates, RobustCategories, CodedColumn],
  ...[ClassTarget, ValueTarget, PowerScale, Coverage],
);

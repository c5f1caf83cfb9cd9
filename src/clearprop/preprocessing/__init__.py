"""The recipe, learned from training data, that turns raw samples into a network's input.

It travels inside the model file as plain values and is applied again at prediction.
"""

from clearprop.preprocessing.given import prepared_from
from clearprop.preprocessing.input_files import found_files, shown
from clearprop.preprocessing.input_recipes import (
    ArrayRecipe,
    CategoricalColumn,
    NumericColumn,
    PictureRecipe,
    PlainColumn,
    TableRecipe,
)
from clearprop.preprocessing.inputs import Inputs, Part, array_of, read_inputs, read_parts
from clearprop.preprocessing.likeness import unlikeness
from clearprop.preprocessing.recipe import (
    ClassTarget,
    InputRecipe,
    PreparedRows,
    Preprocessing,
    ValueTarget,
    fit_recipe,
    prepare,
)

__all__ = [
    "ArrayRecipe",
    "CategoricalColumn",
    "ClassTarget",
    "InputRecipe",
    "Inputs",
    "NumericColumn",
    "Part",
    "PictureRecipe",
    "PlainColumn",
    "PreparedRows",
    "Preprocessing",
    "TableRecipe",
    "ValueTarget",
    "array_of",
    "fit_recipe",
    "found_files",
    "prepare",
    "prepared_from",
    "read_inputs",
    "read_parts",
    "shown",
    "unlikeness",
]

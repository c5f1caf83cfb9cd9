"""The recipe, learned from training data, that turns raw samples into a network's input.

It travels inside the model file as plain values and is applied again at prediction.
"""

from clearprop.preprocessing.input_recipes import (
    ArrayRecipe,
    CategoricalColumn,
    NumericColumn,
    PlainColumn,
    TableRecipe,
)
from clearprop.preprocessing.inputs import Inputs, array_of, read_inputs
from clearprop.preprocessing.picture_recipe import Likeness, PictureRecipe
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
    "Likeness",
    "NumericColumn",
    "PictureRecipe",
    "PlainColumn",
    "PreparedRows",
    "Preprocessing",
    "TableRecipe",
    "ValueTarget",
    "array_of",
    "fit_recipe",
    "prepare",
    "read_inputs",
]

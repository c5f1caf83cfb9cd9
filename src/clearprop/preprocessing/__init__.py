"""The recipe, learned from training data, that turns raw samples into a network's input.

It travels inside the model file as plain values and is applied again at prediction.
"""

from clearprop.preprocessing.arrays import ArrayRecipe
from clearprop.preprocessing.inputs import Inputs, array_of, read_inputs
from clearprop.preprocessing.pictures import PictureRecipe
from clearprop.preprocessing.recipe import (
    RECIPE_TYPES,
    InputRecipe,
    Preprocessing,
    TargetRecipe,
    fit_recipe,
)
from clearprop.preprocessing.rows import PreparedRows, prepare
from clearprop.preprocessing.tables import (
    CategoricalColumn,
    NumericColumn,
    PlainColumn,
    TableRecipe,
)
from clearprop.preprocessing.targets import ClassTarget, ValueTarget

__all__ = [
    "RECIPE_TYPES",
    "ArrayRecipe",
    "CategoricalColumn",
    "ClassTarget",
    "InputRecipe",
    "Inputs",
    "NumericColumn",
    "PictureRecipe",
    "PlainColumn",
    "PreparedRows",
    "Preprocessing",
    "TableRecipe",
    "TargetRecipe",
    "ValueTarget",
    "array_of",
    "fit_recipe",
    "prepare",
    "read_inputs",
]

"""The recipe, learned from training data, that turns raw samples into a network's input.

It travels inside the model file as plain values and is applied again at prediction.
"""

from clearprop.preprocessing.array_recipe import ArrayRecipe
from clearprop.preprocessing.coverage import Coverage
from clearprop.preprocessing.features import FeatureRecipe
from clearprop.preprocessing.given import prepared_from, raw_from
from clearprop.preprocessing.input_files import found_files, shown
from clearprop.preprocessing.inputs import Inputs, Part, array_of, read_inputs, read_parts
from clearprop.preprocessing.likeness import unlikeness
from clearprop.preprocessing.picture_recipe import Likeness, PictureRecipe
from clearprop.preprocessing.recipe import (
    InputRecipe,
    PreparedRows,
    Preprocessing,
    TargetRecipe,
    fit_inputs,
    fit_recipe,
    input_shape_of,
    prepare,
)
from clearprop.preprocessing.table_columns import (
    CategoricalColumn,
    DateColumn,
    NumericColumn,
    PlainColumn,
)
from clearprop.preprocessing.table_recipe import TableRecipe
from clearprop.preprocessing.target_scales import TARGET_SCALES, PowerScale
from clearprop.preprocessing.targets import ClassTarget, ValueTarget, values_of

__all__ = [
    "TARGET_SCALES",
    "ArrayRecipe",
    "CategoricalColumn",
    "ClassTarget",
    "Coverage",
    "DateColumn",
    "FeatureRecipe",
    "InputRecipe",
    "Inputs",
    "Likeness",
    "NumericColumn",
    "Part",
    "PictureRecipe",
    "PlainColumn",
    "PowerScale",
    "PreparedRows",
    "Preprocessing",
    "TableRecipe",
    "TargetRecipe",
    "ValueTarget",
    "array_of",
    "fit_inputs",
    "fit_recipe",
    "found_files",
    "input_shape_of",
    "prepare",
    "prepared_from",
    "raw_from",
    "read_inputs",
    "read_parts",
    "shown",
    "unlikeness",
    "values_of",
]

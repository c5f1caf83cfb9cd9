"""Reading whatever was saved: a model, or an estimator."""

import os
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Union

from clearprop.files import models

if TYPE_CHECKING:
    from clearprop.estimators import MLPClassifier, MLPRegressor

# For each kind of object beside models the key that tells its file, and the module whose `opened`
# makes the object. By name, as these modules stand above, and opening a model is to import none.
OTHERS = {"estimator": "clearprop.estimators"}


def load(
    path: str | os.PathLike[str], *, custom: Iterable[type] = ()
) -> Union[models.Model, "MLPClassifier", "MLPRegressor"]:
    """Read a model or an estimator; no code in the file is ever run.

    Parameters
    ----------
    path : path-like
    custom : iterable of type
        Layers, losses, initializers and schedules of one's own that the file may contain.

    Returns
    -------
    Model, MLPClassifier or MLPRegressor
        The object that was saved. An estimator's file can be read as a `Model`, too, by everything
        that takes model files.

    Raises
    ------
    ModelFileError
        If the file is missing, cut short, no model, of a later format, or contradicts itself.
    """
    custom = tuple(custom)
    model = models.load(path, custom=custom)
    for key, module in OTHERS.items():
        if key in model.training:
            return import_module(module).opened(model, custom)
    return model

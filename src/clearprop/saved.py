"""Whatever was saved, opened again: a model, or an estimator."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Union

from clearprop import model_file
from clearprop.model_file import Model

if TYPE_CHECKING:
    from clearprop.estimators import MLPClassifier, MLPRegressor


def load(
    path: str | os.PathLike[str], *, custom: Iterable[type] = ()
) -> Union[Model, "MLPClassifier", "MLPRegressor"]:
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
    model = model_file.load(path, custom=custom)
    if "estimator" not in model.training:
        return model
    # Here, so that opening a model does not import scikit-learn.
    from clearprop.estimators import MLPClassifier, MLPRegressor
    from clearprop.estimators.saving import estimator_of

    kinds: dict[str, type[MLPClassifier | MLPRegressor]] = {
        "MLPClassifier": MLPClassifier,
        "MLPRegressor": MLPRegressor,
    }
    return estimator_of(model, kinds, custom)

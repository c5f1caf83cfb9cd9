"""Other data, read as a model's own were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from clearprop.data import Dataset, Table, load
from clearprop.data.format import Format
from clearprop.data.loading import format_of
from clearprop.errors import DataError, ShapeError
from clearprop.model_file import Model
from clearprop.preprocessing import ArrayRecipe, PictureRecipe, Preprocessing, TableRecipe, array_of


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put a file or data set in front of an error that only says what is wrong with its samples."""
    try:
        yield
    except (DataError, ShapeError) as error:
        if source in str(error):
            raise
        raise type(error)(f"{source}: {error}") from error


def load_for(model: Model, name_or_path: str) -> Dataset:
    """Load data in the form that a model takes: its target column, its size of pictures.

    Parameters
    ----------
    model : Model
    name_or_path : str

    Returns
    -------
    Dataset
    """
    recipe = model.preprocessing
    if recipe is None:
        return load(name_or_path)
    path = Path(name_or_path)
    owner = format_of(path)
    target = _target_in(path, owner, recipe) if owner and owner.has_columns else None
    if isinstance(recipe.inputs, PictureRecipe):
        return load(
            name_or_path,
            target=target,
            size=recipe.inputs.size,
            channels=recipe.inputs.channels,
        )
    dataset = load(name_or_path, target=target)
    if isinstance(recipe.inputs, ArrayRecipe) and isinstance(dataset.X, Table):
        X = array_of(dataset.X, recipe.inputs, name_or_path)
        return replace(dataset, kind="array", X=X, feature_names=None)
    return dataset


def _target_in(path: Path, owner: Format, recipe: Preprocessing) -> str | None:
    """Return the column that was learned: by its name, else the only one that is no input."""
    target, inputs = recipe.target.name, recipe.inputs
    if target is not None or not isinstance(inputs, TableRecipe):
        return target
    known = {column.name for column in inputs.columns}
    others = [name for name in owner.column_names(path) if name not in known]
    if len(others) != 1:
        raise DataError(
            f"{path} has {', '.join(map(repr, others)) or 'no column'} besides those that the "
            "model takes; expected one, the target."
        )
    return others[0]

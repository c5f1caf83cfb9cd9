"""Other data, read as a model's own were."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearprop.data import Dataset, load
from clearprop.data.loading import TABLE_SUFFIXES
from clearprop.errors import DataError, ShapeError
from clearprop.model_file import Model
from clearprop.preprocessing import PictureRecipe


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
    is_table = name_or_path.lower().endswith(TABLE_SUFFIXES)
    target = recipe.target.name if is_table else None
    if isinstance(recipe.inputs, PictureRecipe):
        return load(
            name_or_path,
            target=target,
            size=recipe.inputs.size,
            channels=recipe.inputs.channels,
        )
    return load(name_or_path, target=target)

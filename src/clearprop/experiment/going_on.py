"""Going on with the training of a model: what is taken from it, and what it must not have seen."""

from clearprop import preprocessing
from clearprop.data import Dataset
from clearprop.data.whole.survey import SAMPLE
from clearprop.errors import UsageError, listed
from clearprop.experiment.loading import recipe_of
from clearprop.experiment.parts import share_of
from clearprop.experiment.runs import Saved
from clearprop.experiment.settings import Settings, described
from clearprop.network import Network

_DRAWN = ("test", "seed", "group", "time")
"""Settings that decide which samples give the score."""

_CELL = 8  # bytes


def require_unseen(start: Saved, settings: Settings, dataset: Dataset) -> None:
    """Refuse to score with samples that a model has learned from before training goes on.

    Parameters
    ----------
    start : Saved
        The model.
    settings : Settings
        The settings with which training goes on, resolved.
    dataset : Dataset
        The data with which it does.

    Raises
    ------
    UsageError
    """
    share = 0.0 if settings.test is None else share_of(settings.test)
    scored = [settings.data] if settings.folds or share or settings.coverage else []
    if share is None and settings.test is not None:
        scored.append(settings.test)
    for one, before in start.trainings():
        drawn = (*_DRAWN, "coverage") if settings.coverage else _DRAWN
        alike = all(getattr(before, name) == getattr(settings, name) for name in drawn)
        if (
            alike
            and _drawn_from_the_same(start, before, dataset)
            and not (before.folds or settings.folds)
        ):
            continue  # the same samples were held out
        if known := next(filter(one.knows, scored), None):
            raise UsageError(
                f"{one.word} has learned from samples of {known} that would give the "
                f"score{' or the coverage' if settings.coverage else ''}. Give other data, or go "
                f"without {'--coverage and ' if settings.coverage else ''}a score: --folds 0 "
                "--test 0 --validation 0"
            )


def _drawn_from_the_same(start: Saved, before: Settings, dataset: Dataset) -> bool:
    """Whether samples are held out of the same rows as before, where the data are the same.

    Of a large table that stays on disk they are held out of a sample. Whether it did before tell
    the memory that it might take, and all columns that were read, some of which are read no more.
    """
    whole, inputs = dataset.whole, recipe_of(start.model, "train on").inputs
    rows = len(dataset) if whole is None else len(whole.files)
    if not isinstance(inputs, preprocessing.TableRecipe) or rows <= SAMPLE:
        return True
    columns = len(inputs.roles) + len(inputs.ignored) + 1  # and the target
    was_on_disk = before.memory is not None and _CELL * rows * columns > before.memory
    return was_on_disk == (whole is not None)


def taken(start: Saved, settings: Settings) -> str:
    """Say what is taken over from the model that training goes on from."""
    inputs, target = recipe_of(start.model, "train on").inputs, start.model.class_names
    learned = "the scaling of its numbers"
    if isinstance(inputs, preprocessing.TableRecipe):
        learned = "the scaling and the categories of its columns"
    elif isinstance(inputs, preprocessing.PictureRecipe):
        learned = "the size of its pictures"
    changed = [
        name
        for name in described(settings)
        if name not in ("data", "start")
        and getattr(settings, name) != getattr(start.settings, name)
    ]
    return (
        f"Goes on from {start.word}: its weights, {learned}, "
        f"{'the scale of its target' if target is None else 'its classes'} and its settings"
        f"{f', but for {listed(changed)}' if changed else ''}."
    )


def take_weights(network: Network, start: Saved) -> None:
    """Give a network the weights of the model that training goes on from.

    Raises
    ------
    UsageError
        If it has other layers.
    """
    taken = start.model.network
    for own, other in ((network.parameters, taken.parameters), (network.state, taken.state)):
        if [one.shape for one in own.values()] != [one.shape for one in other.values()]:
            raise UsageError(
                f"{start.file} has other layers than its settings say. Train anew without --from."
            )
        own.data[...] = other.data

"""The options that describe a run, shared by ``train`` and ``compare``."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from clearprop.cli.parameters import BATCH_SIZE, SIZE
from clearprop.errors import UsageError
from clearprop.experiment.settings import (
    ACTIVATIONS,
    CLASS_WEIGHTS,
    DTYPES,
    INITS,
    SCHEDULES,
    Settings,
    read_settings,
)
from clearprop.optimizers import OPTIMIZERS

_OPTIONS = (
    click.option("--target", help="The column of a table to learn.  [default: the last]"),
    click.option("--size", type=SIZE, help="What pictures are brought to.  [default: 64x64]"),
    click.option("--activation", type=click.Choice(ACTIVATIONS), help="[default: relu]"),
    click.option(
        "--init", type=click.Choice(INITS), help="[default: he; glorot for tanh, sigmoid]"
    ),
    click.option("--optimizer", type=click.Choice(list(OPTIMIZERS)), help="[default: adam]"),
    click.option("--learning-rate", type=float, help="The largest.  [default: by the optimizer]"),
    click.option("--schedule", type=click.Choice(SCHEDULES), help="[default: one-cycle]"),
    click.option("--epochs", type=int, help="[default: about 6000 updates, 10 to 200]"),
    click.option("--batch-size", type=BATCH_SIZE, help="[default: 32; 128 from 10000 samples on]"),
    click.option(
        "--dropout",
        type=float,
        help="The share dropped after each hidden layer.  [default: 0.2; 0 with --layers]",
    ),
    click.option("--batch-norm", is_flag=True, default=None, help="Normalise hidden layers."),
    click.option("--l2", type=float, help="L2, as scikit-learn scales its alpha."),
    click.option("--clip-norm", type=float, help="The longest gradient."),
    click.option("--class-weight", type=click.Choice(CLASS_WEIGHTS), help="[default: none]"),
    click.option("--patience", type=int, help="Stop after so many epochs without a better loss."),
    click.option(
        "--validation",
        metavar="SHARE|DATA",
        help="What is held out.  [default: 0.2; 0.1 beside a test set]",
    ),
    click.option("--dtype", type=click.Choice(DTYPES), help="[default: float32]"),
    click.option("--seed", type=int, help="[default: 0]"),
    click.option("--config", type=click.Path(), help="A TOML file of these settings."),
)


def task_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a run to a command; what is not given is None."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def settings_from(data: str | None, options: Mapping[str, Any], base: Path | None) -> Settings:
    """Put settings together: the command line goes before --config, which goes before `base`.

    Parameters
    ----------
    data : str or None
        The argument DATA.
    options : mapping
        What `task_options` gave.
    base : pathlib.Path or None
        A TOML file beneath it all: the settings of a run that goes on.

    Returns
    -------
    Settings

    Raises
    ------
    UsageError
        If nobody says which data.
    """
    given = {name: value for name, value in options.items() if value is not None}
    config = given.pop("config", None)
    layered: dict[str, Any] = read_settings(base) if base is not None else {}
    layered |= read_settings(config) if config is not None else {}
    layered |= given
    if data is not None:
        layered["data"] = data
    if "data" not in layered:
        raise UsageError("Say what to learn from: clearprop train DATA, such as digits or photos/.")
    return Settings(**layered)

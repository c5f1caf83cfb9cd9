"""The page of runs in a notebook: the one that `report` writes, in a frame of a cell's output."""

import os
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from clearprop.configuration import Json
from clearprop.errors import UsageError, shortened
from clearprop.files.models import Model
from clearprop.network import Network
from clearprop.page import language_of_system, pack
from clearprop.report import RunPage, page_data
from clearprop.training import History

if TYPE_CHECKING:
    from clearprop.estimators import MLPClassifier, MLPRegressor

LARGEST = 3_000_000
"""The bytes of a cell's output at most: Jupyter's servers let no more through at a time."""

_HEIGHT = 760  # pixels of a frame, unless the window is lower
_SANDBOX = "allow-scripts allow-downloads"  # it can run and save pictures, and reaches nothing


class Studio:
    """The page of a run in a notebook: curves, network, every number, your own input.

    The last line of a cell shows it. It is the page that ``clearprop report`` writes: one text that
    needs no network and no Python, and is saved with the notebook.

    Parameters
    ----------
    run : path, Model, Network, MLPClassifier or MLPRegressor
        The folder of a run that was saved, or what was trained here.
    *others : the same
        Runs that are shown beside it.
    history : History, optional
        What `Trainer.fit` has returned, of a model or network.
    language : {"en", "es", "zh_CN", "zh_TW"}, optional
        The language of its words; the system's unless given.

    Raises
    ------
    UsageError
        If there is no such run, or the page would be larger than a notebook shows.

    Examples
    --------
    >>> import clearprop as cp
    >>> moons = cp.load_data("moons")
    >>> layers = [cp.Dense(4), cp.Tanh(), cp.Dense(1)]
    >>> net = cp.Network(layers, loss=cp.BinaryCrossEntropy(), input_shape=(2,))
    >>> history = cp.Trainer(epochs=2).fit(net, moons.X, moons.y)
    >>> cp.Studio(net, history=history)
    Studio of a network
    """

    def __init__(
        self,
        run: "str | os.PathLike[str] | Model | Network | MLPClassifier | MLPRegressor",
        *others: Any,
        history: History | None = None,
        language: str | None = None,
    ) -> None:
        if others and history is not None:
            raise UsageError(
                "history is that of one run: show them one by one, or by their folders."
            )
        runs = [_page_of(one, history) for one in (run, *others)]
        self.name = " · ".join(one.name for one in runs)
        text = pack(page_data(runs), title=self.name, language=language or language_of_system())
        self._frame = (
            f'<iframe srcdoc="{escape(text)}" title="{escape(self.name)}" sandbox="{_SANDBOX}" '
            f'style="width: 100%; height: {_HEIGHT}px; max-height: 90vh; border: 0"></iframe>'
        )
        size = len(self._frame.encode())
        if size > LARGEST:
            raise UsageError(
                f"The page would be of {size / 1e6:.1f} MB, and a notebook shows at most "
                f"{LARGEST / 1e6:.0f} MB in a cell. clearprop report RUN writes it into a file."
            )

    def __repr__(self) -> str:
        return f"Studio of {self.name}"

    def _repr_html_(self) -> str:
        return self._frame


def _page_of(run: Any, history: History | None) -> RunPage:
    if isinstance(run, str | os.PathLike):
        if history is not None:
            raise UsageError("A run's folder has its own history: leave out history=.")
        return _page_of_folder(os.fspath(run))
    if isinstance(run, Model):
        return _page("a model", run, history)
    if isinstance(run, Network):
        return _page("a network", Model(run), history)
    network, own = getattr(run, "network_", None), getattr(run, "history_", None)
    if isinstance(network, Network) and isinstance(own, History):
        from clearprop.estimators.exchange import recipe_of

        return _page(type(run).__name__, Model(network, recipe_of(run)), own)
    raise UsageError(
        f"Found {shortened(run)}, expected the folder of a run, a Model, a Network, or an "
        "MLPClassifier or MLPRegressor that has been fitted."
    )


def _page_of_folder(folder: str) -> RunPage:
    # Here, because what reads runs and their data takes longer to import than a page to make.
    from clearprop.experiment.reporting import page_of
    from clearprop.experiment.runs import require_run

    page, _ = page_of(require_run(folder), None, "", embeds=False)
    return page


def _page(name: str, model: Model, history: History | None) -> RunPage:
    report: Mapping[str, Json] = {}
    return RunPage(
        name=name, command="", model=model, history=history or History([]), report=report
    )

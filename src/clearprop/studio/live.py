"""A run that is shown while it trains, and when it is saved."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from clearprop.configuration import Json
from clearprop.errors import UsageError
from clearprop.experiment import Task
from clearprop.experiment.reporting import shown_part
from clearprop.experiment.values import Place
from clearprop.files.models import Model
from clearprop.layers import Dense
from clearprop.losses import MeanSquaredError
from clearprop.network import Network
from clearprop.report import FORMAT, RunPage
from clearprop.report.run_page import LARGEST
from clearprop.studio.controls import Controls
from clearprop.studio.events import RunReader
from clearprop.studio.mailbox import Mailbox, Watched, is_too_large
from clearprop.studio.watching import Watching


class TooEarlyError(UsageError):
    """Something that can be asked for, and has no meaning now."""


class Live:
    """A run that is shown while it trains.

    Parameters
    ----------
    task : Task
    name : str
        The name of the run.
    command : str
        The command that repeats it.
    labels : sequence of str, default ("",)
        The names of its trainings, in the order in which they begin. The last one makes the model.

    Attributes
    ----------
    mailbox : Mailbox
    controls : Controls
    watching : Watching
        The callback of each training.
    """

    def __init__(
        self, task: Task, *, name: str, command: str, labels: Sequence[str] = ("",)
    ) -> None:
        self.task, self.name, self.command = task, name, command
        self.mailbox, self.controls = Mailbox(), Controls()
        self.watching = Watching(self.mailbox, self.controls, labels)
        self._closed = threading.Event()

    def page(self) -> dict[str, Json]:
        """Return the data that the page comes with: it asks for all else."""
        return {"format": FORMAT, "live": {"ended": False}, "runs": []}

    def to_json(self) -> Mapping[str, Json]:
        """Return the data of the page as things are: each training so far, or the saved run."""
        if (saved := self.mailbox.saved) is not None:
            return saved
        return self.page() | {"runs": [self._run(one) for one in tuple(self.mailbox.trainings)]}

    def reader(self) -> RunReader:
        """Return what tells one page what changes."""
        return RunReader(self.mailbox)

    def save(self, run: RunPage) -> None:
        """Show the run as it was saved, from now on."""
        told: Json = self.mailbox.trainings[-1].told()
        runs: list[Json] = [_written(run) | {"told": told}]
        self.mailbox.saved = {"format": FORMAT, "live": {"ended": True}, "runs": runs}

    def ask(self, action: object, value: object = None) -> None:
        """Ask something of the trainings, or for the end of the server.

        Raises
        ------
        TooEarlyError
            If it has no meaning now.
        UsageError
            If there is no such thing to ask for.
        """
        is_saved = self.mailbox.saved is not None
        if action == "close":
            if not is_saved:
                raise TooEarlyError("The run is not saved yet: stop it first.")
            self._closed.set()
            return
        if is_saved:
            raise TooEarlyError("The training has ended, and is saved.")
        if action == "rate" and not self.mailbox.takes_a_rate:
            raise TooEarlyError("There is no learning rate to set: nothing trains that has one.")
        self.controls.ask(action, value)

    def wait_closed(self) -> None:
        """Wait until somebody asks for the end of the server."""
        while not self._closed.wait(1.0):  # on Windows, Ctrl-C interrupts no longer wait
            pass

    def _run(self, one: Watched) -> dict[str, Json]:
        task, latest, kept = self.task, one.latest, list(one.kept.kept)
        if not kept or kept[-1][0] < latest.epoch:
            kept.append((latest.epoch, latest.numbers))
        settings = task.settings.with_places(Place.absolute)
        # A fold's recipe is fitted to the samples of the others, and nobody has it here.
        recipe, samples = (task.recipe, shown_part(task)) if one.is_kept else (None, None)
        run = RunPage(
            name=one.label or self.name,
            command=self.command,
            model=Model(latest.as_network(), recipe),
            history=one.history(),
            report={
                "data": settings.data,
                "settings": settings.to_json(),
                "notes": [*task.notes, *self.watching.notes],
            },
            samples=samples,
            kept=kept,
        )
        return _written(run) | {"told": one.told()}


def _written(run: RunPage) -> dict[str, Json]:
    """Describe a run in JSON values, without its model where that is too large for a page."""
    network = run.model.network
    if not is_too_large(network):
        return run.to_json()
    said = (
        f"it has {network.parameters.data.size:,} parameters, more than a page of "
        f"{LARGEST / 1e6:.0f} MB can hold."
    )
    nothing = Network([Dense(1)], loss=MeanSquaredError(), input_shape=(1,))
    small = replace(run, model=Model(nothing), samples=None, train=None, kept=())
    return small.to_json() | {"model": "", "problem": said}

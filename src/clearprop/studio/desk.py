"""What lies in the folder in which the studio was started: data, and the runs that were kept.

Nothing else is listed or read: no symlink is followed, and what a page asks for is one of the names
that were listed, never a path.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearprop.core.printable import printable
from clearprop.data.loading import FORMATS
from clearprop.data.named import BUILTINS, TOYS
from clearprop.errors import ClearpropError
from clearprop.experiment import runs as on_disk
from clearprop.experiment.epochs_kept import read_kept
from clearprop.experiment.reporting import finding_in
from clearprop.report import RunPage
from clearprop.studio import upload
from clearprop.training import History

_MOST = 500  # entries of a folder that are looked at


@dataclass(frozen=True)
class Desk:
    """The folder, as the studio sees it.

    Parameters
    ----------
    folder : Path
    chosen : str or None
        Data that whoever started the studio has named, wherever they lie.
    """

    folder: Path
    chosen: str | None = None

    @property
    def examples(self) -> tuple[str, ...]:
        """The names of data that come along."""
        return (*BUILTINS, *TOYS)

    def data(self) -> list[str]:
        """Return the names of all that looks like data in the folder, and of what was uploaded."""
        found = [path.name for path in _plain(self.folder) if _is_data(path)]
        uploads = self.folder / upload.FOLDER
        if uploads.is_symlink():
            return found
        inside = [path.name for path in _plain(uploads) if path.is_file() and _is_data(path)]
        return [*found, *(f"{upload.FOLDER}/{name}" for name in inside)]

    def word_for(self, data: str) -> str | None:
        """Return how a command names data that were listed; None for what was not.

        What lies in the folder is named as such, whatever it is called: "-x" or "iris".
        """
        if data == self.chosen or data in self.examples:
            return data
        name = data.removeprefix("./")
        return f"./{name}" if data.startswith("./") and name in self.data() else None

    def runs(self) -> list[on_disk.Listed]:
        """List the runs of the folder that can be read, the newest first."""
        found: list[on_disk.Listed] = []
        for path in _plain(self.folder / on_disk.ROOT):
            if not path.is_dir() or any(one.is_symlink() for one in path.iterdir()):
                continue
            try:
                found += on_disk.list_runs(path)[0]
            except ClearpropError:
                continue
        return sorted(found, key=lambda run: run.saved, reverse=True)

    def run(self, name: str) -> on_disk.Listed | None:
        """Return the run of a name that was listed; None for what was not."""
        return next((run for run in self.runs() if run.folder.name == name), None)


def own_page(run: on_disk.Listed) -> Path | None:
    """Return the page that a run has written of itself, if it has one."""
    path = run.folder / on_disk.PAGE
    return path if path.is_file() else None


def page_without_samples(run: on_disk.Listed) -> RunPage:
    """Read a run for a page, and nothing but its folder: its data may lie elsewhere.

    Raises
    ------
    ClearpropError
        If it has no model yet, or one that can't be read.
    """
    model, report = (
        on_disk.require_saved(str(run.folder)).model,
        on_disk.read_report(run.folder / on_disk.REPORT),
    )
    return RunPage(
        name=run.folder.name,
        command=str(report.get("command") or ""),
        model=model,
        history=History.load(run.folder / on_disk.HISTORY),
        report=report,
        kept=read_kept(run.folder / on_disk.KEPT, model.network),
        doctor=finding_in(report),
    )


def _plain(folder: Path) -> Iterator[Path]:
    """Give files and folders by name, but no symlinks, nothing hidden, and no odd names."""
    try:
        entries = sorted(folder.iterdir())[:_MOST]
    except OSError:
        return
    for path in entries:
        is_shown = (
            not path.name.startswith(".") and printable(path.name, one_line=True) == path.name
        )
        if is_shown and not path.is_symlink():
            yield path


def _is_data(path: Path) -> bool:
    """Whether something looks like data, by its name or by those in it."""
    if path.is_file():
        return any(one.owns(path) for one in FORMATS)
    if not path.is_dir() or path.name in (on_disk.ROOT.name, upload.FOLDER):
        return False
    inside = list(_plain(path))
    # A folder of pictures has a folder for each class.
    return sum(one.is_dir() for one in inside) > 1 or any(one.owns_folder(path) for one in FORMATS)

"""The same settings trained without each fold: mean and spread of every score, and what to beat.

Within a fold the other samples are all there is, and `train`'s own rules hold for them: those that
choose an epoch, a threshold or a temperature are taken from them. The fold gives the score, as a
test set of its own would, and chooses nothing.
"""

import math
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from clearprop.configuration import Json
from clearprop.core.blas import single_threaded
from clearprop.core.reading import parsed_json, read_bounded
from clearprop.data import Dataset, Table
from clearprop.data.selected_rows import blocks
from clearprop.data.splitting import without_column
from clearprop.data.tables.table import Words
from clearprop.errors import DataError, UsageError, counted, listed, naming, shortened
from clearprop.experiment.fold import FoldScores, Spread, read_fold, scores_of_fold
from clearprop.experiment.folder import FOLDS, dumps
from clearprop.experiment.learning import learn
from clearprop.experiment.parts import Folds, column_not_learned, column_to_follow, deal, share_of
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task, set_task
from clearprop.experiment.values import Place
from clearprop.files.written import write_text
from clearprop.training import Callback

_LARGEST = 2**26  # bytes of a file
_FEW = 3  # names in a note


@dataclass(frozen=True)
class CrossValidation:
    """A cross-validation: the folds that are done, in their order, and those that are to come.

    Parameters
    ----------
    settings : Settings
        The settings as they were given.
    parts : Folds
    checksum : int
        The number that tells the data from others.
    notes : tuple of str
        Sentences on how samples were dealt out, and on those that take no part.
    folds : tuple of FoldScores
    """

    settings: Settings
    parts: Folds
    checksum: int
    notes: tuple[str, ...]
    folds: tuple[FoldScores, ...] = ()

    @property
    def ended(self) -> list[FoldScores]:
        """The folds whose training did not diverge."""
        return [one for one in self.folds if one.diverged is None]

    @property
    def score_name(self) -> str:
        """The score that counts: the balanced accuracy, if in any fold a class is rare."""
        names = {one.score_name for one in self.ended}
        return "balanced_accuracy" if "balanced_accuracy" in names else next(iter(names), "")

    @property
    def compared_by(self) -> str:
        """The score to compare with baselines: they have no threshold, and a ranking needs none."""
        return self.score_name if self.settings.threshold is None else "roc_auc"

    @property
    def spreads(self) -> dict[str, Spread]:
        """The spread of every score by its name, the one that counts first."""
        names = dict.fromkeys(
            [self.score_name, *(name for one in self.ended for name in one.scores)]
        )
        return {
            name: Spread.of([one.scores.get(name, math.nan) for one in self.ended])
            for name in names
            if name
        }

    def baseline(self, name: str) -> dict[str, Spread]:
        """Return the spread of every score of a baseline; nothing where some fold has none."""
        found = [one.baselines[name] for one in self.ended if name in one.baselines]
        if not found or len(found) < len(self.ended):
            return {}
        return {score: Spread.of([one.get(score, math.nan) for one in found]) for score in found[0]}

    def above(self, name: str) -> Spread | None:
        """Return how far the score is above that of a baseline, fold by fold; None if not known."""
        score = self.compared_by
        if score not in self.baseline(name):
            return None
        nan = math.nan
        return Spread.of(
            [one.scores.get(score, nan) - one.baselines[name].get(score, nan) for one in self.ended]
        )

    @property
    def label(self) -> str:
        """The name of the next fold: ``fold 2 of 5``."""
        return self.label_of(len(self.folds))

    def label_of(self, place: int) -> str:
        """Return the name of a fold, counted from 0."""
        return f"fold {place + 1} of {len(self.parts)}"

    def naming(self, place: int | None = None) -> AbstractContextManager[None]:
        """Name a fold, the next one unless given, in what goes wrong with its samples."""
        label = self.label if place is None else self.label_of(place)
        return naming(label.capitalize())

    def task(self, place: int | None = None) -> Task:
        """Make a fold ready, the next one unless given: its samples are the task's to test with.

        Raises
        ------
        DataError, ShapeError, UsageError
            See `set_task`.
        """
        rest, fold = self.parts[len(self.folds) if place is None else place]
        settings = replace(self.settings, test=None)
        asked, name = settings.validation, column_not_learned(settings)
        if asked is not None and share_of(asked) == 0 and settings.coverage is None:
            # No other part follows the column within the fold.
            if name is not None:
                rest, fold = without_column(rest, name), without_column(fold, name)
            settings = replace(settings, group=None, time=None)
        whole = replace(rest, test=fold, validation=self.parts.dataset.validation)
        with self.naming(place), single_threaded():  # it may try settings out
            return set_task(settings, whole)

    def score(
        self,
        place: int | None = None,
        ready: Task | None = None,
        *,
        callbacks: Sequence[Callback] = (),
        in_folds: Sequence[Callback] = (),
        baselines: bool = True,
    ) -> FoldScores:
        """Train without a fold, and score it, all with one thread.

        So the bits are the same here, on another machine, and for several folds at once.

        Parameters
        ----------
        place : int, optional
            The fold, counted from 0; the next one unless given.
        ready : Task, optional
            Its task; made anew unless given.
        callbacks, in_folds : sequence of Callback
            See `learn`.
        baselines : bool, default True
            Whether what is to be beaten is fitted and scored, too.

        Raises
        ------
        KeyboardInterrupt
            If training was interrupted.
        """
        with self.naming(place), single_threaded():
            task = self.task(place) if ready is None else ready
            trained = learn(task, callbacks=callbacks, in_folds=in_folds)
            if trained.history.stopped == "interrupted":
                raise KeyboardInterrupt
            return scores_of_fold(trained, baselines=baselines)

    def and_of(self, scores: FoldScores) -> "CrossValidation":
        """Return it with the scores of the next fold behind those before it."""
        return replace(self, folds=(*self.folds, scores))

    def goes_on(self, before: "Begun") -> "CrossValidation":
        """Return it with the folds that were done before.

        Raises
        ------
        UsageError
            If they are of other data.
        """
        if before.checksum != self.checksum:
            raise UsageError(
                f"{self.parts.dataset.name} has changed since the first folds: these would be of "
                "other samples. Bring it back as it was, or begin anew in another folder."
            )
        return replace(self, folds=before.folds)

    def to_json(self) -> dict[str, Json]:
        """Describe it in JSON values."""
        against = {name: self.above(name) for name in ("constant", "linear")}
        return {
            "data": self.settings.data,
            "samples": len(self.parts.dataset),
            "checksum": self.checksum,
            "folds": len(self.parts),
            "score": self.score_name,
            "scores": {name: asdict(one) for name, one in self.spreads.items()},
            "baselines": {
                name: {score: asdict(one) for score, one in self.baseline(name).items()}
                for name in against
            },
            "compared_by": self.compared_by,
            "above": {name: None if one is None else asdict(one) for name, one in against.items()},
            "each": [asdict(one) for one in self.folds],
            "notes": list(self.notes),
            "settings": self.settings.to_json(),
        }

    def save(self, folder: Path) -> None:
        """Write it beside and rename it, so that it may be gone on with whenever it ends.

        Raises
        ------
        OutputError
            If the file can't be written.
        """
        write_text(folder / FOLDS, dumps(self.to_json()) + "\n")


@dataclass(frozen=True)
class Begun:
    """A cross-validation as a file tells it: its settings, how many folds, those that are done."""

    settings: Settings
    count: int
    checksum: int
    folds: tuple[FoldScores, ...]


def begin(settings: Settings, dataset: Dataset, count: int) -> CrossValidation:
    """Deal samples out to folds.

    Raises
    ------
    UsageError
        If training were to go on from a model, which may have learned from any sample.
    DataError
        If there are not as many samples, groups or times.
    """
    if settings.start is not None:
        raise UsageError(
            "The settings go on from a model, which may have learned from any fold: leave start "
            "out. train --from goes on from one, and holds samples out that it has not seen."
        )
    notes = []
    asked = None if settings.test is None else share_of(settings.test)
    if dataset.test is not None or (settings.test is not None and asked is None):
        notes.append(
            "The samples to test with take no part: every fold is tested in its turn. Once you "
            "have chosen the settings, clearprop train scores with them."
        )
    given = settings.validation is not None or column_to_follow(settings) is not None
    if dataset.validation is not None and not given:
        notes.append(
            "The samples that came to validate with choose in every fold, and give no score."
        )
    alone = replace(dataset, test=None)
    parts = deal(settings, alone, count)
    if len(parts) < count:
        raise DataError(
            f"{dataset.name} has {counted(len(parts), 'sample')} that can be held out, too few for "
            f"{count} folds. Give --folds {len(parts)} or fewer, or add samples."
        )
    kept = settings.with_places(Place.absolute)
    return CrossValidation(kept, parts, _checksum(dataset), (*notes, *parts.notes, *_rare(parts)))


def _rare(parts: Folds) -> Iterator[str]:
    """Say which classes are not in every fold."""
    names, y = parts.dataset.class_names, parts.dataset.y
    if names is None:
        return
    in_folds = np.sum(
        [np.bincount(y[rows], minlength=len(names)) > 0 for _, rows in parts.rows], axis=0
    )
    never = [names[k] for k in np.unique(y).tolist() if in_folds[k] == 0]
    some = [name for name, count in zip(names, in_folds, strict=True) if 0 < count < len(parts)]
    if never:
        yield f"{listed(map(repr, never), _FEW)}: in no fold, and always learned from."
    if some:
        yield (
            f"{listed(map(repr, some), _FEW)}: not in every fold. The scores of a fold without a "
            "class say nothing of it: fewer --folds spread its samples better."
        )


def _checksum(dataset: Dataset) -> int:
    """Return the CRC-32 of a data set's samples and targets."""
    found, X = zlib.crc32(np.ascontiguousarray(dataset.y).data.cast("B")), dataset.X
    if isinstance(X, Table):
        for name, column in X.columns.items():
            cells = column.codes if isinstance(column, Words) else column.view(np.int64)
            texts = column.texts if isinstance(column, Words) else ()
            found = zlib.crc32("\0".join([name, *texts]).encode("utf-8", "replace"), found)
            found = zlib.crc32(np.ascontiguousarray(cells).data.cast("B"), found)
        return found
    for _, block in blocks(X):
        found = zlib.crc32(np.ascontiguousarray(block).data.cast("B"), found)
    return found


def read_begun(folder: Path) -> Begun:
    """Read a cross-validation that was begun.

    Raises
    ------
    UsageError
        If there is none in the folder.
    DataError
        If its file can't be used.
    """
    path = folder / FOLDS
    if not path.exists():
        raise UsageError(
            f"There is no cross-validation in {folder} to go on with: it has no {FOLDS}. Leave "
            "--resume out to begin one."
        )
    try:
        told = parsed_json(read_bounded(path, _LARGEST))
        settings, count = told["settings"], int(told["folds"])
        folds = tuple(read_fold(one) for one in told["each"])
        if len(folds) > count:
            raise ValueError(f"it has {len(folds):,} of {count:,} folds")
        own = Settings(data=settings["data"]).changed(settings)
        return Begun(own, count, int(told["checksum"]), folds)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(
            f"{path} can't be used: it is not as cross-validate writes it "
            f"({shortened(str(error))}). Begin anew in another folder."
        ) from error

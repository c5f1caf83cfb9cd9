"""Folders of a run in which one file is another one."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from models import changed_file, parts_of
from texts import histories, settings_files

from clearprop.experiment import (
    Settings,
    evaluation,
    folder,
    learn,
    load_dataset,
    measure,
    set_task,
)
from clearprop.experiment.consultation import examine_run
from clearprop.experiment.inspection import check_network, make_ready, walk_step
from clearprop.files.models import load

_SETTINGS = Settings(data="iris", layers=(2,), epochs=2, seed=1, folds=0)


def files(random: Random) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents of files, without end."""
    settings, rows = settings_files(random), histories(random)
    arrays, described = _model()
    while True:
        kind = random.random()
        if kind < 0.6:
            yield folder.MODEL, changed_file(arrays, described, random)
        else:
            yield next(settings if kind < 0.8 else rows)


def make_run(place: Path) -> None:
    """Write a small run."""
    task = set_task(_SETTINGS, load_dataset(_SETTINGS))
    task.settings.save(place / folder.SETTINGS)
    trained = learn(task)
    folder.save_run(place, trained, measure(trained))


def looked_at(path: Path) -> None:
    """Do what commands do with the folder of a run: walk, check, examine."""
    place = str(path.parent)
    str(walk_step(make_ready(place), 0, "engine").facts)
    evaluation.evaluate(load(path.parent / folder.MODEL), load_dataset(_SETTINGS))
    str(check_network(place, "iris"))
    str(examine_run(path.parent))


@cache
def _model():
    with TemporaryDirectory() as name:
        make_run(Path(name))
        return parts_of(Path(name) / folder.MODEL)

"""Training on arrays that stay in their file, against the same arrays in memory."""

import re
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clearprop.data import load
from clearprop.data.selected_rows import on_disk
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, UsageError
from clearprop.experiment.evaluation import evaluate
from clearprop.experiment.learning import learn
from clearprop.experiment.loading import load_dataset
from clearprop.experiment.settings import Settings
from clearprop.experiment.task import Task, set_task
from clearprop.preprocessing.array_blocks import ArrayBlocks
from clearprop.training import Callback, Checkpoint
from clearprop.training.streaming import Streamed
from clearprop.training.streaming.stream import Stream
from clearprop.training.streaming.window import Window

random = np.random.RandomState(0)
Y = np.sort(random.randint(3, size=6000))  # class after class, as files often have them
X = (random.randn(len(Y), 20) + 2 * np.eye(3, 20)[Y]).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "y.npy", Y)
    return tmp_path / "X.npy"


def task_of(path: Path, memory: int, **changed: Any) -> Task:
    usual: dict[str, Any] = {"layers": (16,), "epochs": 4}
    settings = Settings(data=str(path), memory=memory, **usual | changed)
    return set_task(settings, load_dataset(settings))


def blocks_of(task: Task) -> ArrayBlocks:
    blocks, _ = task.given
    assert isinstance(blocks, ArrayBlocks)
    return blocks


SMALL, LARGE = 2**17, 2**30


def test_the_recipe_and_the_parts_are_those_of_an_array_in_memory(path: Path) -> None:
    small, large = task_of(path, SMALL), task_of(path, LARGE)
    assert small.recipe == large.recipe
    learned = np.asarray(small.train.X, np.float64)
    np.testing.assert_allclose(small.recipe.inputs.mean, learned.mean(axis=0), rtol=1e-6)  # type: ignore[union-attr]
    np.testing.assert_allclose(small.recipe.inputs.std, learned.std(axis=0), rtol=1e-6)  # type: ignore[union-attr]
    for name in ("train", "validation", "test"):
        one, other = getattr(small, name), getattr(large, name)
        np.testing.assert_array_equal(one.X, np.asarray(other.X))
        np.testing.assert_array_equal(one.y, other.y)
        assert [one.source(row) for row in range(5)] == [other.source(row) for row in range(5)]


def test_all_samples_are_in_blocks_and_none_twice(path: Path) -> None:
    task = task_of(path, SMALL)
    blocks = blocks_of(task)
    expected = task.recipe.inputs.transform(task.train.X, task.network.dtype)
    for rows in (100, 333, 10**6):
        found, targets = [], []
        cut = blocks.cut(rows)
        for block in cut:
            out = np.empty((block.rows, 20), task.network.dtype)
            targets.append(blocks.read(block, out))
            found.append(out)
        assert max(block.rows for block in cut) <= 1.5 * rows
        order, own = (np.lexsort(one.T) for one in (np.concatenate(found), expected))
        np.testing.assert_array_equal(np.concatenate(found)[order], expected[own])
        np.testing.assert_array_equal(np.concatenate(targets)[order], task.train.y[own])
    assert blocks.class_counts is not None
    assert blocks.class_counts.tolist() == np.bincount(task.train.y).tolist()


def test_a_block_has_samples_from_all_over_the_file(path: Path) -> None:
    blocks = blocks_of(task_of(path, SMALL))
    for block in blocks.cut(500):
        y = blocks.read(block, np.empty((block.rows, 20), blocks.dtype))
        shares = np.bincount(y, minlength=3) / len(y)
        assert (abs(shares - np.bincount(Y) / len(Y)) < 0.1).all(), shares


def test_places_that_are_in_no_order_keep_their_targets(path: Path) -> None:
    task, dataset = task_of(path, SMALL), load(path, memory=Memory(SMALL))
    mixed = dataset.take(np.random.RandomState(1).permutation(len(dataset)))
    blocks = ArrayBlocks(mixed, task.recipe, np.float64)
    (block,) = blocks.cut(10**6)
    rows = np.empty((block.rows, 20))
    y = blocks.read(block, rows)
    raw = rows * np.array(task.recipe.inputs.std) + task.recipe.inputs.mean  # type: ignore[union-attr]
    by_row = {tuple(row): label for row, label in zip(X.round(3).tolist(), Y, strict=True)}
    assert [by_row[tuple(row)] for row in raw.astype(np.float32).round(3).tolist()] == y.tolist()


class Eager:
    """Reads every block as soon as it may: whoever lets go too early loses samples."""

    def __init__(self, window: Window, order: Any, first: int) -> None:
        self.window, self.order, self.done = window, order, first

    def __enter__(self) -> "Eager":
        self.release(self.done)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def need(self, place: int) -> None:
        assert place < self.done

    def release(self, place: int) -> None:
        while self.done < min(place + self.window.regions, len(self.order)):
            self.window.fill(self.done, self.order[self.done])
            self.done += 1


def test_samples_to_look_at_are_read_from_all_over_the_file(path: Path) -> None:
    task = task_of(path, SMALL)
    shown = Streamed.of(blocks_of(task), task.network, 32).to_look_at()
    expected = task.recipe.inputs.transform(task.train.X, task.network.dtype)
    labels = {row.tobytes(): label for row, label in zip(expected, task.train.y, strict=True)}
    shares = np.bincount([labels[row.tobytes()] for row in shown]) / len(shown)
    assert (abs(shares - np.bincount(Y) / len(Y)) < 0.15).all()
    assert 200 <= len(shown) <= 512


@pytest.mark.parametrize("batch", [7, 64, 150])
def test_batches_stay_while_others_are_on_their_way(
    path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Window, "reading", lambda window, order, first=0: Eager(window, order, first)
    )
    task = task_of(path, SMALL)
    blocks = blocks_of(task)
    blocks.memory = 1
    stream = Stream(blocks, np.asarray, batch)
    assert stream.window.regions < len(stream.cut)  # else nothing is overwritten
    at_once = stream.at_once(batch)
    steps = -(-len(blocks) // batch)
    waiting: deque[tuple[Any, Any]] = deque()
    seen = []
    for rows in stream.walk([3], steps, lambda count: min(count * batch, len(blocks))):
        waiting.append((rows, stream.window.X[rows].copy()))
        if len(waiting) == at_once:
            rows, then = waiting.popleft()
            np.testing.assert_array_equal(stream.window.X[rows], then)
            seen.append(then)
    seen += [then for _, then in waiting]
    expected = task.recipe.inputs.transform(task.train.X, task.network.dtype)
    found = np.concatenate(seen)
    np.testing.assert_array_equal(found[np.lexsort(found.T)], expected[np.lexsort(expected.T)])


def test_a_training_is_as_good_and_comes_back_to_its_last_bit(path: Path) -> None:
    first, again, large = (learn(task_of(path, memory)) for memory in (SMALL, SMALL, LARGE))
    weights = [one.model.network.parameters.data for one in (first, again)]
    np.testing.assert_array_equal(*weights)
    test = large.task.test
    assert test is not None
    scores = [evaluate(one.model, test).scores["accuracy"] for one in (first, large)]
    assert abs(scores[0] - scores[1]) < 0.03
    measured = evaluate(first.model, load(path, memory=Memory(SMALL)))
    in_memory = evaluate(first.model, load(path))
    assert measured.scores == in_memory.scores


def test_another_array_has_another_checksum(path: Path, tmp_path: Path) -> None:
    first = blocks_of(task_of(path, SMALL)).checksum()
    assert blocks_of(task_of(path, SMALL)).checksum() == first
    np.save(tmp_path / "y.npy", np.roll(Y, 1))
    assert blocks_of(task_of(path, SMALL)).checksum() != first


def test_a_file_that_is_cut_off_is_named_and_once_mended_training_goes_on(path: Path) -> None:
    class Cut(Callback):
        def on_epoch_end(self, run: Any) -> None:
            if run.epoch == 3:
                with path.open("r+b") as file:
                    file.truncate(path.stat().st_size // 2)

    whole, checkpoint = learn(task_of(path, SMALL)), Checkpoint(path.with_name("c"), 0)
    with pytest.raises(DataError, match=r"X\.npy is cut off: X\.npy had 480,128 bytes"):
        learn(task_of(path, SMALL), callbacks=[Cut()], checkpoint=checkpoint)
    np.save(path, X)
    mended = learn(task_of(path, SMALL), checkpoint=checkpoint, resume=True)
    assert len(mended.history) == len(whole.history) == 4
    weights = [one.model.network.parameters.data for one in (mended, whole)]
    np.testing.assert_array_equal(*weights)


def test_folds_are_refused(path: Path) -> None:
    with pytest.raises(UsageError, match="not dealt out to folds"):
        task_of(path, SMALL, folds=3)


def test_values_are_learned_from_rows_on_disk(path: Path, tmp_path: Path) -> None:
    values = X[:, 3].astype(np.float64) * 2 + 1
    np.save(tmp_path / "y.npy", values)
    trained = learn(task_of(path, SMALL, task="regress", epochs=12))
    assert blocks_of(trained.task).class_counts is None
    test = trained.task.test
    assert test is not None
    assert evaluate(trained.model, test).scores["r2"] > 0.8


def test_pictures_are_augmented_and_convolved_as_they_are_read(tmp_path: Path) -> None:
    y = np.repeat([0, 1], 300)
    pixels = random.randint(0, 100, (600, 16, 16)).astype(np.uint8)
    pixels[:300, 4:12] += 120
    np.savez(tmp_path / "a.npz", X=pixels, y=y)
    changed = {
        "data": str(tmp_path / "a.npz"),
        "layers": ("conv4", "pool", 8),
        "network": "convolution",
        "augment": ("shift", "flip"),
        "epochs": 3,
    }
    settings = Settings(memory=2**16, **changed)  # type: ignore[arg-type]
    first, again = (learn(set_task(settings, load_dataset(settings))) for _ in range(2))
    assert on_disk(first.task.train.X) is not None
    weights = [one.model.network.parameters.data for one in (first, again)]
    np.testing.assert_array_equal(*weights)
    test = first.task.test
    assert test is not None
    assert evaluate(first.model, test).scores["accuracy"] > 0.9


_WATCHED = """
import sys
from clearprop.cli import cli
try:
    cli(sys.argv[1:])
finally:
    print(*(line for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="only Linux tells the most")
def test_three_gigabytes_are_learned_from_in_little_memory(tmp_path: Path) -> None:
    rows = 3_000_000
    shape = (rows, 250)
    array = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, shape)
    array[::1000, 0] = 1  # all else are holes
    del array
    np.save(tmp_path / "y.npy", (np.arange(rows) % 1000 == 0) | (np.arange(rows) % 3 == 0))
    asked = ["train", "X.npy", "--layers", "8", "--epochs", "1", "--batch-size", "4096"]
    asked += ["--memory", "64MB", "--test", "0.05", "--validation", "0.05", "--out", "run"]
    ran = subprocess.run(
        [sys.executable, "-c", _WATCHED, *asked],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = re.search(r"VmHWM:\s+(\d+) kB", ran.stdout)
    assert found is not None
    # About 200 MB are Python and its libraries, and as much are three million targets and places.
    assert int(found[1]) < 900_000, ran.stdout
    assert (tmp_path / "run" / "model.safetensors").is_file()

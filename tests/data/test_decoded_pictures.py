"""Folders of pictures that are decoded into a file, against the same folder in memory."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clearprop.data import Dataset, load
from clearprop.data.pictures import decoded
from clearprop.data.rows_on_disk import FileRows
from clearprop.data.selected_rows import on_disk
from clearprop.data.whole.whole import Memory
from clearprop.errors import DataError, OutputError

SIZE = (9, 7)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write pictures of two classes and parts, one of 16 bits, one that moves, and a broken one."""
    root, random = tmp_path / "photos", np.random.RandomState(0)
    for part, count in (("train", 30), ("test", 8)):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.randint(0, 256, (12, 10, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{number:02}.png")
    deep = random.randint(0, 1000, (12, 10)).astype(np.uint16)
    Image.fromarray(deep).save(root / "train/dog/03.png")
    (root / "train/cat/05.png").write_bytes(b"no picture")
    frames = [Image.fromarray(random.randint(0, 255, (9, 7)).astype(np.uint8)) for _ in range(3)]
    frames[0].save(root / "train/cat/moves.gif", save_all=True, append_images=frames[1:])
    return root


def read(folder: Path, most: int = 4000, **changed: Any) -> Dataset:
    memory = Memory(most, folder.parent / "runs")
    return load(folder, size=SIZE, memory=memory, **changed)


def files_of(folder: Path) -> list[Path]:
    return sorted((folder.parent / "runs").glob("*.npy"))


def base_of(dataset: Dataset) -> FileRows:
    base = on_disk(dataset.X)
    assert isinstance(base, FileRows)
    return base


@pytest.mark.parametrize("channels", [3, 1])
def test_pixels_problems_and_notes_are_those_of_memory(folder: Path, channels: int) -> None:
    expected = load(folder, size=SIZE, channels=channels)
    for _ in range(2):  # decoded, and taken from the file
        dataset = read(folder, 2000, channels=channels)
        np.testing.assert_array_equal(np.asarray(dataset.X), expected.X)
        np.testing.assert_array_equal(np.load(base_of(dataset).path), expected.X)
        assert dataset.sources == expected.sources
        assert dataset.problems == expected.problems
        assert dataset.depth == expected.depth
        assert dataset.class_names == expected.class_names
        assert [one for one in dataset.notes if " decoded into " not in one] == [*expected.notes]
        assert expected.test is not None
        assert dataset.test is not None
        np.testing.assert_array_equal(np.asarray(dataset.test.X), expected.test.X)


def test_more_pixels_than_are_decoded_at_a_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoded, "_TOGETHER", 7 * 9 * 7 * 3)
    np.testing.assert_array_equal(np.asarray(read(folder).X), load(folder, size=SIZE).X)


def test_a_second_run_takes_the_file_and_changed_pictures_make_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(folder)
    (path,) = files_of(folder)
    assert any(f"60 pictures were decoded into {path}" in note for note in first.notes)
    with monkeypatch.context() as patch:
        patch.setattr(decoded, "decode", None)  # nobody decodes
        again = read(folder)
        moved = folder.rename(folder.with_name("moved"))
        read(moved)
    assert any("60 pictures had been decoded into" in note for note in again.notes)
    load(moved, size=(8, 8), memory=Memory(4000, folder.parent / "runs"))
    assert len(files_of(folder)) == 2
    changed = moved / "train/cat/00.png"
    Image.fromarray(np.zeros((12, 10, 3), np.uint8)).save(changed)
    os.utime(changed, ns=(0, 10**9))
    assert np.asarray(read(moved).X)[0].max() == 0
    assert len(files_of(folder)) == 3


def test_pictures_that_fit_are_not_written(folder: Path) -> None:
    assert isinstance(read(folder, 10**6).X, np.ndarray)
    assert isinstance(load(folder, size=SIZE, memory=Memory(1)).X, np.ndarray)  # kept nowhere
    assert files_of(folder) == []


@pytest.mark.parametrize("what", ["shorter", "no facts", "torn facts", "other version"])
def test_a_file_that_is_torn_is_made_anew(folder: Path, what: str) -> None:
    read(folder)
    (path,) = files_of(folder)
    facts = path.with_suffix(".json")
    if what == "shorter":
        path.write_bytes(path.read_bytes()[:-1])
    elif what == "no facts":
        facts.unlink()
    elif what == "torn facts":
        facts.write_text(facts.read_text()[:-9])
    else:
        facts.write_text(json.dumps({**json.loads(facts.read_text()), "version": 0}))
    dataset = read(folder)
    assert any("were decoded into" in note for note in dataset.notes)
    np.testing.assert_array_equal(np.asarray(dataset.X), load(folder, size=SIZE).X)


def test_free_disk_is_asked_for_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder)._replace(free=2**26 + 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        DataError, match=r"61 pictures of 9x7 take 1\.15e-05 GB on disk .* has 0\.0671 GB free"
    ):
        read(folder)
    assert files_of(folder) == []


def test_a_folder_that_can_t_be_written_is_named(folder: Path) -> None:
    (folder.parent / "runs").write_text("a file")
    with pytest.raises(OutputError, match=r"runs.* can't be written"):
        read(folder)


def test_nothing_is_left_behind_where_decoding_ends_early(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(decoded, "decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read(folder)
    assert [*(folder.parent / "runs").iterdir()] == []

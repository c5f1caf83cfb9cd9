"""A table that stays on disk: what its data set, a sample, knows of all rows."""

from datetime import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from disk_tables import ON_DISK, columns, in_memory, on_disk, split, write

from clearprop.data import Dataset, Table, load
from clearprop.data.reading import Reading, TextForm
from clearprop.data.whole import survey as surveys
from clearprop.data.whole import whole as wholes
from clearprop.data.whole.survey import drawn
from clearprop.data.whole.whole import Memory, Whole
from clearprop.errors import DataError
from clearprop.preprocessing import fit_inputs

ROWS = 900


def whole_of(dataset: Dataset) -> Whole:
    assert dataset.whole is not None
    return dataset.whole


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Let a sample of 900 rows have about 90, and return which."""
    monkeypatch.setattr(surveys, "SAMPLE", 90)
    return {*drawn(0, ROWS, 0.1).tolist()}


def rare(chosen: set[int]) -> list[int]:
    """Return some of the last rows, of which a sample has none."""
    return [row for row in range(ROWS - 100, ROWS) if row not in chosen][:3]


def test_what_fits_into_memory_is_read(tmp_path: Path) -> None:
    path = split(tmp_path, columns(30), [10])
    for most, stays in ((30 * 2 * 8, False), (30 * 2 * 8 - 1, True)):
        dataset = load(path, reading=Reading(target="y"), memory=Memory(most))
        assert (dataset.whole is not None) == stays
        assert len(dataset) == 30


def test_a_sample_is_told_apart_from_all(tmp_path: Path, small_sample: set[int]) -> None:
    split(tmp_path, columns(ROWS), [400])
    dataset = on_disk(tmp_path)
    assert len(dataset) == len(small_sample)
    assert len(whole_of(dataset)) == ROWS
    [said] = [one for one in dataset.notes if "stay on disk" in one]
    assert said.startswith("900 rows in 2 files of 0.0")
    assert f"{len(dataset)}, drawn evenly, tell what the columns are" in said
    places = sorted(small_sample)
    assert [dataset.source(row) for row in (0, 5)] == [f"row {places[at] + 1}" for at in (0, 5)]
    some = dataset.take(np.array([7, 2]))
    assert whole_of(some).places.tolist() == [places[7], places[2]]
    assert some.source(0) == f"row {places[7] + 1}"


def test_a_sample_holds_on_to_its_own_texts_alone(tmp_path: Path, small_sample: set[int]) -> None:
    texts = [f"text {row}" for row in range(ROWS)]
    dataset = on_disk(split(tmp_path, columns(ROWS, text=texts), [400]))
    sample = whole_of(dataset).survey.sample.column("text").combine_chunks()
    assert sample.dictionary.to_pylist() == [texts[row] for row in sorted(small_sample)]


def test_classes_that_only_the_last_file_has(tmp_path: Path, small_sample: set[int]) -> None:
    table = columns(ROWS)
    y = [("b", "d")[row % 2] for row in range(ROWS)]
    for row, name in zip(rare(small_sample), ("a", "c", "a"), strict=True):
        y[row] = name
    dataset = on_disk(split(tmp_path, table | {"y": y}, [400, 400]))
    assert dataset.class_names == ("a", "b", "c", "d")
    assert dataset.counts() == {name: y.count(name) for name in "abcd"}
    told = [("a", "b", "c", "d")[at] for at in dataset.y]
    assert told == [y[row] for row in sorted(small_sample)]


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["1.0", "2.0", "10.0"], ["1", "2", "10"]),
        (["007", "7", "x"], ["007", "7", "x"]),
        ([100, 5000, 90_000], ["100", "5000", "90000"]),
        ([-1, 1, 1], ["-1", "1"]),
        ([0.5, 1.5, 1.5], ["0.5", "1.5"]),
        ([True, False, None], ["FALSE", "TRUE"]),
        (["no", "yes", ""], ["no", "yes"]),
        (["no", "yes", "NULL"], ["NULL", "no", "yes"]),
        ([time(3), time(1), time(12)], ["1", "3", "12"]),
    ],
)
def test_classes_are_those_of_a_table_in_memory(
    tmp_path: Path, texts: list[Any], names: list[str]
) -> None:
    table = columns(60) | {"y": texts * 20}
    split(tmp_path, table, [20])
    mine, expected = on_disk(tmp_path, task="classify"), in_memory(tmp_path, task="classify")
    assert list(mine.class_names or ()) == list(expected.class_names or ()) == names
    assert (mine.counts(), mine.y.tolist()) == (expected.counts(), expected.y.tolist())
    assert len(whole_of(mine)) == len(expected)


@pytest.mark.parametrize(
    ("y", "missing", "left"),
    [
        (["1", "2", "?", "1", "2"], (), 48),
        (["no", "yes", "NULL", "no", "yes"], (), 60),
        (["no", "yes", "-", "no", "yes"], ("-",), 48),
        ([1, 2, -999, 1, 2], ("-999",), 48),
        (["$1.5", "$2", "?", "$7.25", ""], (), 36),
    ],
)
def test_targets_that_stand_for_missing_are_not_learned(
    tmp_path: Path, y: list[Any], missing: tuple[str, ...], left: int
) -> None:
    form = TextForm(missing=missing)
    split(tmp_path, columns(60) | {"y": y * 12}, [33], group=8)
    mine = load(tmp_path, reading=Reading(form, target="y"), memory=ON_DISK)
    expected = load(tmp_path, reading=Reading(form, target="y"))
    assert len(whole_of(mine)) == len(mine) == len(expected) == left
    assert (mine.class_names, mine.y.tolist()) == (expected.class_names, expected.y.tolist())
    read = [*whole_of(mine).files.pieces]
    there = [whole_of(mine).targets(whole_of(mine).files.read(one))[1].sum() for one in read]
    assert there == whole_of(mine).rows.tolist()


def test_too_many_classes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearprop.data.whole.column_survey.MOST_WORDS", 20)
    split(tmp_path, columns(60) | {"y": [f"w{row // 2}" for row in range(60)]}, [20])
    with pytest.raises(DataError, match="'y', the target, has too many different values"):
        on_disk(tmp_path)


def category_names(dataset: Dataset, name: str) -> set[str]:
    """Return the categories of a column that a recipe knows."""
    recipe = fit_inputs(dataset)
    [column] = [one for one in recipe.columns if one.name == name]  # type: ignore[attr-defined]
    return {*column.categories}


def test_categories_that_only_the_last_file_has(tmp_path: Path, small_sample: set[int]) -> None:
    words = [("red", "green")[row % 2] for row in range(ROWS)]
    numbers = [row % 3 for row in range(ROWS)]
    for row in rare(small_sample):
        words[row], numbers[row] = "violet", 7
    split(tmp_path, columns(ROWS, word=words, number=numbers), [400, 400])
    dataset = on_disk(tmp_path, category=("number",))
    assert category_names(dataset, "word") == {"red", "green", "violet"}
    assert category_names(dataset, "number") == {"0", "1", "2", "7"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([15.3, 2.5] * 450, pa.float32()), {"15.3", "2.5"}),
        (
            pa.array([0, 1] * 450, pa.timestamp("s")),
            {"1970-01-01 00:00:00", "1970-01-01 00:00:01"},
        ),
        (pa.array([True, False] * 450), {"TRUE", "FALSE"}),
    ],
)
@pytest.mark.usefixtures("small_sample")
def test_cells_that_are_spelled_out_as_categories(
    tmp_path: Path, values: Any, expected: set[str]
) -> None:
    split(tmp_path, columns(ROWS, c=values), [400])
    assert category_names(on_disk(tmp_path, category=("c",)), "c") == expected


def test_numbers_are_standardised_by_all_rows(tmp_path: Path, small_sample: set[int]) -> None:
    x = np.random.RandomState(3).gamma(1.0, size=ROWS) * 1000
    x[rare(small_sample)[0]] = 1e6
    split(tmp_path, columns(ROWS) | {"x": pa.array(x, mask=np.arange(ROWS) % 9 == 0)}, [400])
    there = x[np.arange(ROWS) % 9 != 0]
    [column] = fit_inputs(on_disk(tmp_path)).columns  # type: ignore[attr-defined]
    assert column.mean == pytest.approx(there.mean(), rel=1e-12)
    assert column.std == pytest.approx(there.std(), rel=1e-12)
    assert (column.low, column.high) == (there.min(), there.max())


def test_a_survey_is_made_once_and_kept_beside_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    survey = wholes.survey
    monkeypatch.setattr(wholes, "survey", lambda *args: made.append(args) or survey(*args))
    split(tmp_path / "x", columns(60), [20])
    memory = Memory(1, tmp_path / "runs")

    def loaded() -> Dataset:
        return load(tmp_path / "x", reading=Reading(target="y"), memory=memory)

    first, again = loaded(), loaded()
    assert len(made) == 1
    [kept] = (tmp_path / "runs").iterdir()
    assert isinstance(first.X, Table)
    assert isinstance(again.X, Table)
    np.testing.assert_array_equal(first.X.columns["x"], again.X.columns["x"])
    assert first.counts() == again.counts()
    kept.write_bytes(kept.read_bytes()[:300])
    loaded()
    assert len(made) == 2
    loaded()
    assert len(made) == 2
    write(tmp_path / "x" / "part-009.parquet", columns(20))
    assert len(whole_of(loaded())) == 80
    assert len(made) == 3
    assert len([*(tmp_path / "runs").iterdir()]) == 2

"""What is learned from, what chooses, and what gives the score: no sample does two of these."""

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from disk_tables import columns, on_disk, write
from hypothesis import given
from hypothesis import strategies as st

from clearprop.data import Dataset, Table
from clearprop.errors import DataError
from clearprop.experiment import Settings, load_dataset
from clearprop.experiment.parts import Parts, split

SEEDS = st.integers(0, 2**32 - 1)


def dataset_of(labels: list[int], **more: Any) -> Dataset:
    """Make samples whose only feature is their place."""
    y = np.array(labels)
    names = tuple(map(str, range(y.max() + 1)))
    return Dataset("made", "array", np.arange(len(y) * 1.0)[:, None], y, names, **more)


def table_of(cells: list[Any], labels: list[int] | None = None) -> Dataset:
    """Make a table whose column `x` counts its rows, with numbers in a column `by`."""
    y = np.zeros(len(cells)) if labels is None else np.array(labels)
    names = None if labels is None else tuple(map(str, range(y.max() + 1)))
    columns = {"by": np.array(cells, float), "x": np.arange(len(cells) * 1.0)}
    return Dataset("made", "table", Table(columns), y, names)


def settings_of(test: str | None = "0.2", validation: str | None = "0.2", **more: Any) -> Settings:
    return Settings(data="made", **({"folds": 0, "test": test, "validation": validation} | more))


def places(part: Dataset | None) -> list[int]:
    """Return the rows of the whole that a part holds."""
    if part is None:
        return []
    X = part.X.columns["x"] if isinstance(part.X, Table) else part.X[:, 0]
    return np.asarray(X).astype(int).tolist()


def places_of(parts: Parts) -> tuple[list[int], list[int], list[int]]:
    return places(parts.train), places(parts.validation), places(parts.test)


@given(
    counts=st.lists(st.integers(2, 40), min_size=1, max_size=4),
    test=st.sampled_from(["0", "0.1", "0.2", "0.5", "0.9"]),
    validation=st.sampled_from(["0", "0.1", "0.2", "0.5"]),
    seed=SEEDS,
)
def test_parts_are_apart_and_each_has_its_share_of_each_class(
    counts: list[int], test: str, validation: str, seed: int
) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    dataset = dataset_of(np.random.RandomState(seed).permutation(labels).tolist())
    settings = settings_of(test, validation, seed=seed)
    share = float(test)
    taken = [min(max(round(share * count), 1), count - 1) if share else 0 for count in counts]
    left = [count - one for count, one in zip(counts, taken, strict=True)]
    if validation != "0" and max(left) == 1:  # none can be learned from and choose
        with pytest.raises(DataError, match="Every class of made has one sample only"):
            split(settings, dataset)
        return
    parts = split(settings, dataset)
    learned, chosen, scored = places_of(parts)
    assert sorted(learned + chosen + scored) == list(range(len(labels)))
    assert (parts.test is None, parts.validation is None) == (test == "0", validation == "0")
    for k, count in enumerate(counts):
        of_test = np.count_nonzero(dataset.y[scored] == k)
        of_validation = np.count_nonzero(dataset.y[chosen] == k)
        assert count - of_test - of_validation >= 1  # it can be learned
        assert abs(of_test - float(test) * count) <= 1
        assert abs(of_validation - float(validation) * (count - of_test)) <= 1
        assert (of_test > 0) == (test != "0")
    assert split(settings, dataset).train.sources == parts.train.sources


@given(
    groups=st.lists(st.integers(0, 20), min_size=3, max_size=100).filter(lambda g: len({*g}) > 2),
    seed=SEEDS,
)
def test_no_group_is_in_two_parts(groups: list[int], seed: int) -> None:
    parts = split(settings_of(group="by", seed=seed), table_of(groups))
    rows = places_of(parts)
    assert all(rows)
    assert sorted(chain(*rows)) == list(range(len(groups)))
    learned, chosen, scored = ({groups[row] for row in part} for part in rows)
    assert not learned & scored
    assert not chosen & scored
    if parts.notes[1].startswith("To choose the epoch with:"):
        assert not learned & chosen
    else:  # a single group was left
        assert len(learned | chosen) == 1
        assert parts.notes[1].startswith("The epoch is chosen by rows at random")
    for part in (parts.train, parts.validation, parts.test):
        assert part is not None
        assert isinstance(part.X, Table)
        assert part.X.names == ("x",)
    assert parts.notes[2] == "'by' is left out of the inputs, as rows are held out by it."


@given(times=st.lists(st.integers(0, 20), min_size=3, max_size=100).filter(lambda t: len({*t}) > 2))
def test_the_latest_give_the_score_and_those_before_them_choose(times: list[int]) -> None:
    parts = split(settings_of(time="by"), table_of(times))
    rows = places_of(parts)
    assert sorted(chain(*rows)) == list(range(len(times)))
    learned, chosen, scored = ([times[row] for row in part] for part in rows)
    assert max(learned + chosen) < min(scored)
    if parts.notes[1].startswith("To choose the epoch with:"):
        assert max(learned) < min(chosen)
    else:  # one time was left
        assert len({*learned, *chosen}) == 1


FOLDS = {"folds": 3, "test": None, "validation": None}


def test_a_column_that_can_not_be_followed_to_score_is_no_chance_to_score_at_random() -> None:
    with pytest.raises(DataError, match="have the same 'by', '7': no group"):
        split(settings_of(group="by"), table_of([7] * 20))
    with pytest.raises(DataError, match="no later part"):
        split(settings_of(time="by"), table_of([7] * 20))


@pytest.mark.parametrize(
    ("came", "given", "expected"),
    [
        # What is held out: (learned from, chooses, scores), each the whole's own or "came".
        (("test",), {"test": None}, ("own", "own", "test")),
        (("test",), {"test": None, "validation": "0"}, ("own", None, "test")),
        (("test",), {"test": "0.2"}, ("own", "own", "own")),
        (("test",), {"test": "0"}, ("own", "own", "test")),  # a run that was made before --test was
        (("validation",), {"test": None}, ("own", "own", "validation")),
        (
            ("validation",),
            {"test": None, "folds": 3, "validation": None},
            ("own", None, "validation"),
        ),
        (("validation",), {"validation": None}, ("own", "validation", "own")),
        (("validation",), {"validation": None, "test": "0"}, ("own", "validation", None)),
        (("test", "validation"), {"test": None, "validation": None}, ("own", "validation", "test")),
        (("test", "validation"), {"test": None, "validation": "0"}, ("own", None, "test")),
        ((), FOLDS, ("own", None, None)),
        ((), {"folds": 3, "validation": None}, ("own", None, "own")),
    ],
    ids=str,
)
def test_samples_that_came_along_have_the_part_that_they_came_for(
    came: tuple[str, ...], given: dict[str, Any], expected: tuple[str | None, ...]
) -> None:
    def shifted(by: int) -> Dataset:
        return replace(dataset_of([0, 1] * 10), X=np.arange(by + 20.0)[by:, None])

    with_them = dataset_of(
        [0, 1] * 10,
        validation=shifted(100) if "validation" in came else None,
        test=shifted(200) if "test" in came else None,
    )
    parts = split(settings_of(**given), with_them)
    origin = ("own", "validation", "test")
    found = [{origin[place // 100] for place in part} for part in places_of(parts)]
    assert found == [set() if one is None else {one} for one in expected]
    swapped = came == ("validation",) and expected[2] == "validation"
    assert any("give the score, and choose nothing" in note for note in parts.notes) == swapped


def test_another_table_on_disk_takes_no_rows_from_the_one_that_is_learned(tmp_path: Path) -> None:
    own, other = (
        on_disk(write(tmp_path / f"{seed}.parquet", columns(60, seed=seed))) for seed in (0, 1)
    )
    for test, held_out in ((None, 0), ("0.2", 12)):
        settings = settings_of(test, "0", batch_size=8)
        parts = split(settings, replace(own, test=other if test is None else None))
        assert parts.train.whole is not None
        assert len(parts.train.whole) == 60 - held_out


def test_the_only_sample_of_a_class_can_be_learned_but_not_be_scored() -> None:
    dataset = dataset_of([0] * 10 + [1] * 10 + [2])
    with pytest.raises(DataError, match=r"class '2' of made has one sample only.*--test 0"):
        split(settings_of(), dataset)
    parts = split(settings_of("0"), dataset)
    assert 20 in places(parts.train)


def test_data_of_their_own_have_the_columns_that_are_trained_on(tmp_path: Path) -> None:
    for name, header in (("a", "x,code,kind"), ("b", "code,kind,x")):
        rows = [
            {"x": f"{row / 7:.3f}", "code": str(row % 3), "kind": "ab"[row % 2]}
            for row in range(30)
        ]
        lines = [",".join(row[one] for one in header.split(",")) for row in rows]
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *lines]))
    settings = Settings(data=str(tmp_path / "a.csv"), target="kind", category=("code",), folds=0)
    other = str(tmp_path / "b.csv")
    for which in ("test", "validation"):
        parts = split(settings.changed({which: other}), load_dataset(settings))
        part = getattr(parts, which)
        assert len(part) == len(parts.train) == 30
        assert part.target_name == "kind"
        assert type(part.X.columns["code"]) is type(parts.train.X.columns["code"])

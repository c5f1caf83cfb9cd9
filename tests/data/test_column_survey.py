"""What one pass finds out: moments and counts of parts are those of the whole; and a sample."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from disk_tables import columns, plain, split, write
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.preprocessing import StandardScaler

from clearprop.data.tables.cells import Numbers
from clearprop.data.tables.column_files import ColumnFiles
from clearprop.data.tables.table import as_column, as_words
from clearprop.data.whole import column_survey
from clearprop.data.whole import survey as surveys
from clearprop.data.whole.column_survey import ColumnSurvey
from clearprop.data.whole.survey import Survey, drawn, survey
from clearprop.errors import OutputError

NUMBERS = st.lists(
    st.floats(-1e6, 1e6, width=32) | st.integers(-50, 50).map(float) | st.just(math.nan),
    max_size=30,
)


def of_numbers(*portions: Any) -> ColumnSurvey:
    """Survey a column of numbers that comes in portions."""
    found = ColumnSurvey()
    for portion in portions:
        found.add(Numbers(np.asarray(portion, np.float64), {}, is_code=False))
    return found


def alike(one: ColumnSurvey, other: ColumnSurvey) -> None:
    """Require the same up to rounding."""
    assert (one.filled, one.missing) == (other.filled, other.missing)
    assert (one.low, one.high, one.counts) == (other.low, other.high, other.counts)
    scale = max(abs(one.low), abs(one.high)) if one.filled else 1.0
    assert one.mean == pytest.approx(other.mean, rel=1e-9, abs=1e-12 * scale)
    assert one.squares == pytest.approx(other.squares, rel=1e-9, abs=1e-12 * scale**2)


@given(st.lists(NUMBERS.filter(bool), min_size=1, max_size=5))
def test_portions_are_as_the_whole_of_numpy(portions: list[list[float]]) -> None:
    found, whole = of_numbers(*portions), np.concatenate(portions)
    there = whole[~np.isnan(whole)]
    assert (found.filled, found.missing) == (len(there), len(whole) - len(there))
    if not len(there):
        assert (found.low, found.high, found.std) == (math.inf, -math.inf, 1)
        return
    scale = np.abs(there).max()
    assert (found.low, found.high) == (there.min(), there.max())
    assert found.mean == pytest.approx(there.mean(), rel=1e-9, abs=1e-12 * scale)
    assert found.squares / len(there) == pytest.approx(there.var(), rel=1e-9, abs=1e-12 * scale**2)
    told = (str(int(one)) if one.is_integer() else repr(one) for one in there.tolist())
    assert found.counts == Counter(told)


@given(NUMBERS.filter(bool), NUMBERS.filter(bool), NUMBERS.filter(bool))
def test_merging_is_associative(a: list[float], b: list[float], c: list[float]) -> None:
    left, inner = of_numbers(a), of_numbers(b)
    left.merge(of_numbers(b))
    left.merge(of_numbers(c))
    inner.merge(of_numbers(c))
    right = of_numbers(a)
    right.merge(inner)
    alike(left, right)
    alike(left, of_numbers(a + b + c))


def test_moments_are_those_of_scikit_learn_where_numbers_lie_far_from_zero() -> None:
    random_state, scaler, found = np.random.RandomState(0), StandardScaler(), ColumnSurvey()
    for rows in (70_000, 1, 16_385, 300):
        portion = 1e9 + random_state.standard_normal(rows)
        portion[:: max(rows // 7, 1)] = np.nan if rows > 1 else 1e9
        scaler.partial_fit(portion[:, None])
        found.add(Numbers(portion, {}, is_code=False))
    assert found.mean == pytest.approx(scaler.mean_[0], rel=1e-15)
    assert found.std == pytest.approx(scaler.scale_[0], rel=1e-6)


def test_the_share_of_variance_between_portions() -> None:
    portions = [np.arange(10.0), np.arange(4.0) + 30, np.arange(6.0) - 9]
    whole = np.concatenate(portions)
    within = sum(((one - one.mean()) ** 2).sum() for one in portions)
    between = of_numbers(*portions).between
    assert between == pytest.approx(1 - within / (len(whole) - 3) / whole.var(ddof=1))
    assert of_numbers([3.0, 3.0], [3.0]).between == 0
    assert of_numbers([3.0], [5.0]).between == 0


def test_portions_of_rows_in_random_order_have_no_share() -> None:
    rows = np.random.RandomState(0).standard_normal((5000, 7))
    assert of_numbers(*rows).between < 0.01
    words, found = np.random.RandomState(0).choice(["a", "b", "c"], (3000, 7)), ColumnSurvey()
    for portion in words.tolist():
        found.add(as_words(as_column(np.array(portion, dtype=object))))
    assert found.between < 0.01
    apart = ColumnSurvey()
    for portion in np.sort(words, axis=None).reshape(-1, 7).tolist():
        apart.add(as_words(as_column(np.array(portion, dtype=object))))
    assert apart.between > 0.99


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "ç", "longer"])), min_size=1))
def test_words_are_counted_exactly(portions: list[list[str]]) -> None:
    found = ColumnSurvey()
    missing = [
        found.add(as_words(as_column(np.array(one, dtype=object)))) for one in portions if one
    ]
    expected = Counter(word for one in portions for word in one)
    gaps = expected.pop("", 0)
    assert (found.counts, found.missing, sum(missing)) == (expected, gaps, gaps)


@pytest.mark.parametrize(
    "values",
    [
        [100, 5000, 90_000] * 9,
        [0.5, 1.5, -0.25] * 9,
        [2**53 - 1, 2**53 - 2] * 9,
        [-3, 0, 4] * 9,
        [math.nan, 1, math.nan] * 9,
    ],
)
def test_numbers_are_counted_while_they_are_few(values: list[float]) -> None:
    expected = Counter(f"{one:g}" if one % 1 else str(int(one)) for one in values if one == one)
    assert of_numbers(values[:11], values[11:]).counts == expected


def test_too_many_different_ones_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert of_numbers(np.arange(5000) / 7).counts is None
    assert of_numbers([1, 2], np.arange(5000) / 7, [1, 2]).counts is None
    monkeypatch.setattr(column_survey, "MOST_WORDS", 5)
    words, found = as_words(as_column(np.array([*"abcde", "a"], dtype=object))), ColumnSurvey()
    found.add(words)
    assert found.counts == {"a": 2, "b": 1, "c": 1, "d": 1, "e": 1}
    found.add(as_words(as_column(np.array(["f"], dtype=object))))
    assert found.counts is None


def test_long_texts_are_not_counted() -> None:
    found = ColumnSurvey()
    for place in range(3):
        texts = [f"{place}{row}" + "a" * 2**16 for row in range(300)]
        assert found.add(as_words(as_column(np.array([*texts, ""], dtype=object)))) == 1
    assert (found.counts, found.filled, found.missing) == (None, 900, 3)


@given(st.lists(st.integers(0, 1500), min_size=1, max_size=30), st.sampled_from([1, 7, 1000, 3000]))
def test_whether_numbers_are_counted_does_not_depend_on_portions(
    starts: list[int], step: int
) -> None:
    portions = [np.arange(start, start + 90) * step for start in starts]
    distinct = len({*np.concatenate(portions).tolist()})
    assert (of_numbers(*portions).counts is None) == (distinct > 1000)
    assert (of_numbers(np.concatenate(portions)).counts is None) == (distinct > 1000)


def test_numbers_that_can_not_be_squared_have_no_deviation() -> None:
    found = of_numbers([1e200, -1e200, 3])
    assert (found.low, found.high) == (-1e200, 1e200)
    assert not math.isfinite(found.std)


@pytest.mark.parametrize("portions", [[[1.5, math.nan]], [[math.nan]], [np.arange(2000) / 7]])
def test_json_keeps_it(portions: Any) -> None:
    found = of_numbers(*portions)
    text = json.dumps(found.to_json(), allow_nan=False)
    assert ColumnSurvey.from_json(json.loads(text)) == found


# The sample.


@pytest.mark.parametrize("share", [0.5, 0.13, 0.0013])
def test_every_row_is_drawn_alike(share: float) -> None:
    """Where it lies, and who lies beside it, tells nothing: the draw is fixed, and so is this."""
    rows = 2_000_000
    places = drawn(0, rows, share)
    count = stats.binomtest(len(places), rows, share)
    assert count.pvalue > 1e-3
    for parts in (2, 3, 7, 64, 100):
        for groups in (places * parts // rows, places % parts):  # stretches, and every so-maniest
            assert stats.chisquare(np.bincount(groups, minlength=parts)).pvalue > 1e-4
    gaps = np.diff(places)
    longest = max(int(2 / share), 4)
    found = np.bincount(np.minimum(gaps, longest), minlength=longest + 1)[1:]
    chances = share * (1 - share) ** np.arange(longest)
    chances[-1] = (1 - share) ** (longest - 1)
    assert stats.chisquare(found, len(gaps) * chances).pvalue > 1e-4


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=8), st.floats(0.01, 1))
def test_the_same_rows_are_drawn_in_any_portions(portions: list[int], share: float) -> None:
    starts = np.cumsum([0, *portions])
    found = [at + drawn(at, rows, share) for at, rows in zip(starts, portions, strict=False)]
    np.testing.assert_array_equal(np.concatenate(found), drawn(0, int(starts[-1]), share))


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sample have about 50 rows."""
    monkeypatch.setattr(surveys, "SAMPLE", 50)


def surveyed(path: Path, sizes: list[int], group: int) -> Survey:
    table = columns(600, word=[f"w{row % 5}" for row in range(600)], number=np.arange(600))
    return survey(ColumnFiles.of(split(path, table, sizes, group)))


@pytest.mark.usefixtures("small_sample")
def test_a_sample_is_the_same_however_rows_lie_in_files(tmp_path: Path) -> None:
    one = surveyed(tmp_path / "one", [], 600)
    assert 25 < len(one.places) < 80
    assert plain(one.sample)["number"] == one.places.tolist()
    for name, sizes, group in (("few", [200, 200], 50), ("many", [1, 300, 2, 90, 7], 13)):
        other = surveyed(tmp_path / name, sizes, group)
        assert plain(other.sample) == plain(one.sample)
        np.testing.assert_array_equal(other.places, one.places)
        for column in one.columns:
            alike(one.columns[column], other.columns[column])


def test_a_small_table_is_its_own_sample(tmp_path: Path) -> None:
    found = surveyed(tmp_path, [100], 9)
    assert found.places.tolist() == list(range(600))


def test_missing_cells_are_counted_by_piece(tmp_path: Path) -> None:
    x = pa.array([None if row < 8 or row == 30 else row / 3 for row in range(40)])
    files = ColumnFiles.of(write(tmp_path / "a.parquet", {"x": x, "y": ["a", None] * 20}, 10))
    found = survey(files)
    assert found.missing["x"].tolist() == [8, 0, 0, 1]
    assert found.missing["y"].tolist() == [5, 5, 5, 5]


def test_progress_is_told_and_ends_with_all_rows(tmp_path: Path) -> None:
    files = ColumnFiles.of(split(tmp_path, columns(100), [30, 30], 10))
    told: list[tuple[int, int]] = []
    survey(files, lambda done, rows: told.append((done, rows)))
    assert told == [(done, 100) for done in range(10, 101, 10)]


@pytest.mark.usefixtures("small_sample")
def test_a_survey_is_kept_and_read_back(tmp_path: Path) -> None:
    found = surveyed(tmp_path / "x", [100], 33)
    path = tmp_path / "kept" / "survey.parquet"
    found.save(path)
    assert [one.name for one in path.parent.iterdir()] == ["survey.parquet"]
    back = Survey.load(path, found.fingerprint)
    assert back is not None
    assert (back.columns, plain(back.sample)) == (found.columns, plain(found.sample))
    np.testing.assert_array_equal(back.places, found.places)
    assert {name: one.tolist() for name, one in back.missing.items()} == {
        name: one.tolist() for name, one in found.missing.items()
    }
    assert Survey.load(path, "another") is None


def test_what_is_torn_or_somebody_elses_is_no_survey(tmp_path: Path) -> None:
    found, path = surveyed(tmp_path / "x", [100], 33), tmp_path / "survey.parquet"
    assert Survey.load(path, found.fingerprint) is None
    found.save(path)
    content = path.read_bytes()
    for torn in (b"", content[: len(content) // 2], content[1000:], b"x,y\n1,2\n"):
        path.write_bytes(torn)
        assert Survey.load(path, found.fingerprint) is None
    write(path, columns(9))
    assert Survey.load(path, found.fingerprint) is None
    path.write_bytes(content)
    assert Survey.load(path, found.fingerprint) is not None


def test_a_survey_that_can_not_be_kept_is_said(tmp_path: Path) -> None:
    found = surveyed(tmp_path / "x", [], 100)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"survey\.parquet can't be written"):
        found.save(tmp_path / "file" / "survey.parquet")

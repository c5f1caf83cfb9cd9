"""Estimators of tables on Dask's collections: small ones are computed, large ones streamed."""

from typing import Any

import dask.array
import dask.dataframe
import numpy as np
import pandas
import pytest
from sklearn.exceptions import NotFittedError

import clearprop as cp
from clearprop.data.whole.survey import drawn
from clearprop.estimators import partitions
from clearprop.estimators.partitions import PartitionBlocks, Partitions
from clearprop.estimators.table_samples import columns_of

_array: Any = dask.array  # which tells no types
_frames: Any = dask.dataframe
_ROWS, _PARTS = 2100, 7
_KIND: dict[str, Any] = {
    "max_iter": 4,
    "random_state": 0,
    "members": 1,
    "hidden_layer_sizes": (16,),
}
_NAMES = ["a", "b", "c", "g"]


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    random = np.random.RandomState(0)
    columns = {
        "a": random.standard_normal(_ROWS),
        "b": random.standard_normal(_ROWS),
        "c": random.choice(list("xyz"), _ROWS),
        "g": np.where(random.uniform(size=_ROWS) < 0.1, np.nan, random.standard_normal(_ROWS)),
    }
    found = pandas.DataFrame(columns)
    found["label"] = np.where(found.a + (found.c == "x") > 0.3, "yes", "no").astype(object)
    found.loc[_ROWS - 20 :, "label"] = "seldom"  # in the last partition alone
    found.loc[_ROWS - 20 :, "c"] = "late"
    found["value"] = 2 * found.a + (found.c == "y")
    return found


@pytest.fixture
def small_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every collection be too large for memory."""
    monkeypatch.setattr(partitions, "MEMORY", 10_000)


def collection(frame: pandas.DataFrame) -> Any:
    return _frames.from_pandas(frame, npartitions=_PARTS)


def test_a_small_collection_gives_what_its_rows_in_memory_give(frame: pandas.DataFrame) -> None:
    lazy = collection(frame)
    here = cp.TableClassifier(**_KIND).fit(frame[_NAMES], frame.label)
    there = cp.TableClassifier(**_KIND).fit(lazy[_NAMES], lazy.label)
    expected = here.predict_proba(frame[_NAMES])
    assert np.array_equal(there.predict_proba(frame[_NAMES]), expected)


@pytest.mark.usefixtures("small_memory")
def test_a_large_collection_is_learned_from_by_partitions(frame: pandas.DataFrame) -> None:
    lazy = collection(frame)
    X, y = lazy[_NAMES], lazy.label
    model = cp.TableClassifier(**_KIND | {"members": 2}).fit(X, y)
    assert len(model.histories_) == 2
    assert model.classes_.tolist() == ["no", "seldom", "yes"]
    assert model.feature_names_in_.tolist() == _NAMES
    assert model.n_features_in_ == len(_NAMES)
    categories = {
        one.name: one.categories for one in model.recipe_.columns if one.role == "category"
    }
    assert categories["c"] == ("late", "x", "y", "z")
    numbers = {one.name: one for one in model.recipe_.columns if one.role == "number"}
    assert numbers["a"].mean == pytest.approx(frame.a.mean(), rel=1e-9)
    assert numbers["a"].std == pytest.approx(frame.a.std(ddof=0), rel=1e-9)
    assert (numbers["a"].low, numbers["a"].high) == (frame.a.min(), frame.a.max())
    here = model.predict(frame[_NAMES])
    found = model.predict(X)
    assert isinstance(found, dask.array.Array)
    assert np.array_equal(found.compute(), here)
    assert model.predict_proba(X).compute() == pytest.approx(model.predict_proba(frame[_NAMES]))
    assert model.score(X, y) == np.mean(here == frame.label) > 0.9


@pytest.mark.usefixtures("small_memory")
def test_the_same_seed_gives_the_same_answers(frame: pandas.DataFrame) -> None:
    lazy = collection(frame)
    one, two = (
        cp.TableRegressor(**_KIND).fit(lazy[_NAMES], lazy.value).predict(frame[_NAMES])
        for _ in range(2)
    )
    assert np.array_equal(one, two)


@pytest.mark.usefixtures("small_memory")
def test_values_stay_within_those_of_all_partitions(frame: pandas.DataFrame) -> None:
    changed = frame.assign(value=frame.value.where(frame.index < _ROWS - 1, 50.0))
    lazy = collection(changed)
    model = cp.TableRegressor(**_KIND).fit(lazy[_NAMES], lazy.value)
    assert model._high.tolist() == [50.0]
    assert model.predict(lazy[_NAMES]).compute().max() <= 50.0


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("chunks", [(300, 2), (700, 3)])
def test_arrays_are_taken_too(frame: pandas.DataFrame, chunks: tuple[int, int]) -> None:
    numbers = frame[["a", "b", "g"]].to_numpy()
    X = _array.from_array(numbers, chunks=chunks)
    y = _array.from_array(frame.value.to_numpy(), chunks=chunks[0])
    model = cp.TableRegressor(**_KIND).fit(X, y)
    assert model.score(X, y) > 0.6
    assert model.predict(X).compute() == pytest.approx(model.predict(numbers), rel=1e-9)
    wide = _array.stack([y, -y], axis=1)
    assert cp.TableRegressor(**_KIND).fit(X, wide).predict(X).compute().shape == (_ROWS, 2)


def test_blocks_hold_every_row_but_those_held_out(frame: pandas.DataFrame) -> None:
    lazy = collection(frame)
    parts = Partitions.of(lazy[["a", "b"]], lazy.value)
    held_out = np.array([0, 5, 857, 858, _ROWS - 1])
    recipe = parts.survey().recipe(np.arange(_ROWS))
    blocks = PartitionBlocks(parts, recipe, held_out, np.asarray)
    X, y = [], []
    for block in blocks.cut(500):
        X.append(np.empty((block.rows, 2), np.float32))
        y.append(blocks.read(block, X[-1]))
    kept = frame.drop(index=held_out)
    assert np.concatenate(y).tolist() == kept.value.tolist()
    expected = recipe.transform(columns_of(kept[["a", "b"]]), np.float32)
    assert np.array_equal(np.concatenate(X), expected)


def test_what_does_not_belong_together_is_refused(frame: pandas.DataFrame) -> None:
    lazy = collection(frame)
    with pytest.raises(ValueError, match="y is Series: give both as Dask's"):
        cp.TableClassifier(**_KIND).fit(lazy[_NAMES], frame.label)
    other = _frames.from_pandas(frame, npartitions=3)
    with pytest.raises(ValueError, match="X has 7 partitions and y has 3"):
        cp.TableClassifier(**_KIND).fit(lazy[_NAMES], other.label)


@pytest.mark.usefixtures("small_memory")
def test_partitions_of_other_lengths_are_refused(frame: pandas.DataFrame) -> None:
    X = _array.from_array(frame[["a", "b"]].to_numpy(), chunks=(1000, 2))
    y = _array.from_array(frame.value.to_numpy(), chunks=((1100, 900, 100),))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cp.TableRegressor(**_KIND).fit(X, y)


@pytest.mark.usefixtures("small_memory")
def test_one_class_in_all_partitions_is_refused(frame: pandas.DataFrame) -> None:
    lazy = collection(frame.assign(label="yes"))
    with pytest.raises(ValueError, match="There is one class, 'yes'"):
        cp.TableClassifier(**_KIND).fit(lazy[_NAMES], lazy.label)


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("targets", ["value", ["value", "a"]])
def test_partitions_without_rows_change_nothing(frame: pandas.DataFrame, targets: Any) -> None:
    some = frame.iloc[: _ROWS // _PARTS * 2]
    full = _frames.from_pandas(some, npartitions=2)
    none = full.partitions[1].map_partitions(lambda rows: rows.iloc[:0], meta=full._meta)
    lazy = _frames.concat([full.partitions[0], none, full.partitions[1]])
    one, two = (
        cp.TableRegressor(**_KIND).fit(given[["a", "b"]], given[targets]).predict(some[["a", "b"]])
        for given in (full, lazy)
    )
    assert np.array_equal(one, two)


@pytest.mark.usefixtures("small_memory")
def test_a_target_that_is_missing_is_refused_before_training(
    frame: pandas.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "SAMPLE", 300)
    chosen = {*drawn(0, _ROWS, 300 / _ROWS).tolist()}
    row = next(row for row in range(_ROWS) if row not in chosen)
    lazy = collection(frame.assign(value=frame.value.where(frame.index != row)))
    with pytest.raises(ValueError, match="Input y contains NaN"):
        cp.TableRegressor(**_KIND).fit(lazy[_NAMES], lazy.value)
    classes = lazy.value.round().clip(0, 1)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        cp.TableClassifier(**_KIND).fit(lazy[_NAMES], classes)


@pytest.mark.usefixtures("small_memory")
def test_columns_without_names_of_text_have_none(frame: pandas.DataFrame) -> None:
    named = frame[["a", "b", "value"]].rename(columns={"a": 0, "b": 1})
    lazy = collection(named)
    model = cp.TableRegressor(**_KIND).fit(lazy[[0, 1]], lazy["value"])
    assert not hasattr(model, "feature_names_in_")
    assert len(model.predict(named[[0, 1]])) == _ROWS


@pytest.mark.usefixtures("small_memory")
def test_quantiles_are_a_collection_too(frame: pandas.DataFrame) -> None:
    lazy = collection(frame)
    model = cp.TableRegressor(**_KIND, quantiles=(0.1, 0.9)).fit(lazy[["a", "b"]], lazy.value)
    found = model.predict_quantiles(lazy[["a", "b"]])
    assert isinstance(found, dask.array.Array)
    assert found.compute() == pytest.approx(model.predict_quantiles(frame[["a", "b"]]))


def test_a_collection_needs_a_model_that_has_learned(frame: pandas.DataFrame) -> None:
    X = collection(frame)[["a", "b"]]
    for call in (
        cp.TableClassifier().predict,
        cp.TableClassifier().predict_proba,
        cp.TableRegressor().predict,
        cp.TableRegressor().predict_quantiles,
    ):
        with pytest.raises(NotFittedError):
            call(X)

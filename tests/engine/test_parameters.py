"""The flat vector and its views."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearprop.core.initializers import Constant, Normal, Zeros
from clearprop.core.parameters import Parameter, ParameterVector
from clearprop.errors import ShapeError

SPECS = {
    "0.W": Parameter((3, 2), Normal(1.0), decays=True),
    "0.b": Parameter((2,), Zeros()),
    "1.0.W": Parameter((2, 2), Constant(5.0), decays=True),
    "1.P": Parameter((), Constant(7.0)),
}


@pytest.fixture
def vector() -> ParameterVector:
    return ParameterVector(SPECS, np.float64)


def test_views_and_vector_are_the_same_memory(vector: ParameterVector) -> None:
    assert vector.data.shape == (13,)
    vector["0.b"][...] = [8, 9]
    np.testing.assert_array_equal(vector.data[6:8], [8, 9])
    vector.data[:] = np.arange(13)
    np.testing.assert_array_equal(vector["0.W"], [[0, 1], [2, 3], [4, 5]])
    np.testing.assert_array_equal(vector["1.0.W"], [[8, 9], [10, 11]])
    assert vector["1.P"] == 12
    for view in vector.values():
        assert np.shares_memory(view, vector.data)


def test_the_tree_holds_the_very_same_views(vector: ParameterVector) -> None:
    assert vector.tree["0"]["W"] is vector["0.W"]
    assert vector.tree["1"]["0"]["W"] is vector["1.0.W"]
    assert vector.tree["1"]["P"] is vector["1.P"]


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), max_size=6),
    st.sampled_from([np.float32, np.float64]),
)
def test_any_shapes_fill_the_vector_without_gap_or_overlap(
    shapes: list[tuple[int, ...]], dtype: type[np.floating]
) -> None:
    vector = ParameterVector(
        {str(place): Parameter(shape, Zeros()) for place, shape in enumerate(shapes)}, dtype
    )
    for number, view in enumerate(vector.values(), start=1):
        assert view.dtype == dtype
        view += number
    assert [view.shape for view in vector.values()] == shapes
    expected = [number for number, view in enumerate(vector.values(), 1) for _ in range(view.size)]
    np.testing.assert_array_equal(vector.data, expected)


def test_it_is_a_mapping_of_names_in_order(vector: ParameterVector) -> None:
    assert list(vector) == list(SPECS)
    assert len(vector) == 4
    assert "0.W" in vector
    assert "W" not in vector
    assert vector.decayed == ("0.W", "1.0.W")
    assert repr(vector).startswith("ParameterVector(13 float64: 0.W (3, 2), 0.b (2,)")


def test_initialize_draws_by_each_initializer(vector: ParameterVector) -> None:
    assert not vector.data.any()
    vector.initialize(np.random.RandomState(0))
    np.testing.assert_array_equal(vector["0.W"], np.random.RandomState(0).randn(2, 3).T)
    np.testing.assert_array_equal(vector.data[6:], [0, 0, 5, 5, 5, 5, 7])


def test_a_copy_has_the_values_and_like_has_zeros_and_neither_shares_memory(
    vector: ParameterVector,
) -> None:
    vector.data[:] = np.arange(13)
    copy, like = vector.copy(), vector.like()
    np.testing.assert_array_equal(copy.data, np.arange(13))
    np.testing.assert_array_equal(like.data, np.zeros(13))
    copy.data[:] = like.data[:] = -1
    np.testing.assert_array_equal(vector.data, np.arange(13))
    for twin in (copy, like):
        assert list(twin) == list(vector)
        assert twin.decayed == vector.decayed
        assert twin["0.W"].shape == (3, 2)


def test_assign_writes_into_the_views(vector: ParameterVector) -> None:
    data = vector.data
    arrays = {name: np.full(view.shape, 3, np.float32) for name, view in vector.items()}
    vector.assign(arrays)
    assert vector.data is data
    np.testing.assert_array_equal(data, np.full(13, 3.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.b": None}, "parameter '0.b' is missing"),
        ({"2.W": np.zeros(2)}, "'2.W' is no parameter here; there are 0.W, 0.b, 1.0.W, 1.P"),
        ({"1.0.W": np.zeros(4)}, r"'1.0.W' has shape \(4,\), expected \(2, 2\)"),
        ({"1.P": np.zeros(1)}, r"'1.P' has shape \(1,\), expected \(\)"),
    ],
)
def test_assign_writes_nothing_where_a_name_or_shape_is_wrong(
    vector: ParameterVector, change: dict[str, np.ndarray | None], message: str
) -> None:
    arrays = {name: np.ones(view.shape) for name, view in vector.items()} | change
    given = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(ShapeError, match=message):
        vector.assign(given)
    assert not vector.data.any()

"""What the page's panels compute and show, beside Python's own numbers."""

import base64
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix
from twins import array

from clearprop.core.expressions import number_text
from clearprop.core.printable import readable

RANDOM = np.random.RandomState(0)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(2, 6))
def test_numbers_are_written_as_python_writes_them(
    view: Any, values: list[float], digits: int
) -> None:
    written = [repr(value) for value in values]
    general = view.ask(ask="general", values=written, digits=digits)
    assert general == [f"{value + 0.0:.{digits}g}" for value in values]
    fair = [value for value in values if abs(value) < 1e15]
    found = view.ask(ask="numbers", values=[repr(value) for value in fair], digits=digits)
    # Python rounds halves of whole numbers to even ones, JavaScript away from zero.
    expected = [readable(value, digits) for value in fair]
    assert [
        one
        for one, other, value in zip(found, expected, fair, strict=True)
        if one != other and abs(value) % 1 != 0.5
    ] == []


def test_numbers_that_are_none_are_a_dash(view: Any) -> None:
    assert view.ask(ask="numbers", values=["NaN"], digits=4) == ["–"]
    assert number_text(60000) == "60000"


@pytest.mark.parametrize(("type_", "dtype"), [("f16", "<f2"), ("f32", "<f4"), ("f64", "<f8")])
def test_embedded_numbers_are_read_to_the_last_bit(view: Any, type_: str, dtype: str) -> None:
    values = np.concatenate([RANDOM.normal(size=50), [0, -0.0, 1e-7, 6e-8, 65504, np.inf, np.nan]])
    stored = values.astype(dtype)
    text = base64.b64encode(stored.tobytes()).decode()
    found = [
        float(one.replace("Infinity", "inf"))
        for one in view.ask(ask="decoded", text=text, type=type_)
    ]
    np.testing.assert_array_equal(found, stored.astype(np.float64))


def test_bytes_are_255ths(view: Any) -> None:
    text = base64.b64encode(bytes(range(256))).decode()
    found = [float(one) for one in view.ask(ask="decoded", text=text, type="u8")]
    np.testing.assert_array_equal(found, np.arange(256) / 255)


def test_numbers_of_another_type_are_refused(view: Any, node_error: type[Exception]) -> None:
    with pytest.raises(node_error, match='of type "i8"; this page reads u8, f16, f32 and f64'):
        view.ask(ask="decoded", text="", type="i8")


def test_samples_are_taken_by_their_places(view: Any) -> None:
    inputs = RANDOM.normal(size=(5, 2, 3)).astype("<f4")
    told = {
        "part": "test",
        "of": 9,
        "shape": [5, 2, 3],
        "type": "f32",
        "data": base64.b64encode(inputs.tobytes()).decode(),
        "truth": [0, 1, 0, 1, 1],
        "rows": [0, 2, 4, 6, 8],
        "sources": None,
        "raw": None,
    }
    found = view.ask(ask="samples", told=told)
    assert (found["count"], found["size"], found["arePictures"]) == (5, 6, True)
    assert found["spread"] == [0, 2]
    np.testing.assert_array_equal(found["last"], inputs[4].ravel())
    np.testing.assert_array_equal(found["taken"], inputs[[1, 0]].ravel())


@pytest.mark.parametrize("shape", [(40, 6), (12, 30), (200, 25), (3, 2)])
def test_principal_components_are_those_of_the_singular_values(
    view: Any, shape: tuple[int, int]
) -> None:
    data = RANDOM.normal(size=shape) @ np.diag(1.2 ** -np.arange(shape[1]))
    centred = data - data.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(right[np.arange(2), np.abs(right[:2]).argmax(axis=1)])
    found = view.ask(ask="components", data=data.ravel().tolist(), n=shape[0])
    np.testing.assert_allclose(found["shares"], (sizes**2 / (sizes**2).sum())[:2], rtol=1e-9)
    np.testing.assert_allclose(found["points"], left[:, :2] * sizes[:2] * signs, atol=1e-4)


def test_what_does_not_vary_lies_in_one_place(view: Any) -> None:
    found = view.ask(ask="components", data=[2.0, 3.0] * 4, n=4)
    assert found == {"points": [[0, 0]] * 4, "shares": [0, 0]}
    line = view.ask(ask="components", data=[0.0, 1.0, 5.0], n=3)
    np.testing.assert_allclose(line["points"], [[-2, 0], [-1, 0], [3, 0]], atol=1e-12)
    assert line["shares"] == pytest.approx([1, 0])


def test_shares_of_active_samples_and_dead_units(view: Any) -> None:
    y = np.maximum(RANDOM.normal(size=(20, 3, 3, 4)), 0)
    y[..., 2] = 0
    found = view.ask(ask="units", **array(y))
    np.testing.assert_allclose(found["shares"], (y > 0).mean(axis=(0, 1, 2)))
    assert found["dead"] == [2]


def test_histograms_and_moments(view: Any) -> None:
    data = RANDOM.normal(size=500)
    counts, edges = np.histogram(data, bins=41)
    found = view.ask(ask="histogram", data=data.tolist(), bins=41)
    assert found["counts"] == counts.tolist()
    assert (found["low"], found["high"]) == (edges[0], edges[-1])
    assert found["mean"] == pytest.approx(data.mean())
    assert found["deviation"] == pytest.approx(data.std())


def test_sizes_of_gradients_and_changes(view: Any) -> None:
    before, after = RANDOM.normal(size=(2, 30))
    size, change = view.ask(ask="sizes", before=before.tolist(), after=after.tolist())
    assert size == pytest.approx(math.sqrt((before**2).mean()))
    assert change == pytest.approx(np.linalg.norm(after - before) / np.linalg.norm(before))


def test_confusion_is_scikit_learn_s(view: Any) -> None:
    truth, said = RANDOM.randint(0, 4, size=(2, 60))
    found = view.ask(ask="confusion", truth=truth.tolist(), said=said.tolist(), classes=4)
    np.testing.assert_array_equal(found, confusion_matrix(truth, said, labels=range(4)))


def kept_epoch(epoch: int, values: Any) -> dict[str, Any]:
    data = np.asarray(values, "<f4").tobytes()
    return {"epoch": epoch, "type": "f32", "parameters": base64.b64encode(data).decode()}


def test_kept_epochs_are_put_into_the_network_by_the_names_of_its_arrays(view: Any) -> None:
    # The network has its arrays in the order of its layers, the file in that of their names.
    shapes = [["0.W", 2], ["0.b", 1], ["2.W", 1], ["10.W", 2]]
    found = view.ask(ask="kept", shapes=shapes, kept=[kept_epoch(3, [1, 2, 3, 4, 5, 6])])
    assert found["vectors"] == [[1, 2, 3, 6, 4, 5]]
    assert found["own"] == [0, -1, -2, -3, -4, -5]


def test_kept_running_statistics_are_put_in_and_taken_out_again(view: Any) -> None:
    state = base64.b64encode(np.array([7, 8, 9], "<f4").tobytes()).decode()
    kept = [kept_epoch(0, [1]), kept_epoch(1, [2]) | {"state": state}, kept_epoch(2, [3])]
    found = view.ask(
        ask="kept",
        shapes=[["0.W", 1]],
        kept=kept,
        statistics=[["2.mean", 0, 2], ["10.mean", 2, 1]],  # their place and size in the network
    )
    # One that has kept none leaves those of the model.
    assert found["states"] == [[-1, -2, -3], [8, 9, 7], [-1, -2, -3]]
    assert found["ownState"] == [-1, -2, -3]


def test_a_kept_epoch_of_another_network_is_refused(view: Any, node_error: type[Exception]) -> None:
    with pytest.raises(node_error, match="has 2 numbers where its network has 3"):
        view.ask(ask="kept", shapes=[["0.W", 3]], kept=[kept_epoch(1, [1, 2])])


def test_the_latest_of_an_epoch_makes_the_earlier_one_go(view: Any) -> None:
    latest = [kept_epoch(1, [2]), kept_epoch(1, [3]), kept_epoch(2, [4])]
    found = view.ask(ask="kept", shapes=[["0.W", 1]], kept=[kept_epoch(0, [1])], latest=latest)
    assert found["epochs"] == [0, 1, 2]


def test_of_very_many_kept_epochs_some_go_and_the_last_one_stays(view: Any) -> None:
    latest = [kept_epoch(epoch, [epoch]) for epoch in range(200)]
    epochs = view.ask(ask="kept", shapes=[["0.W", 1]], kept=[], latest=latest)["epochs"]
    assert len(epochs) <= 120
    assert (epochs[0], epochs[-1]) == (0, 199)
    assert epochs == sorted(epochs)


def test_a_store_tells_what_changes_and_nothing_else(view: Any) -> None:
    assert view.ask(ask="stored", sets=[1, 1, 2, 0]) == [1, 2, 0, 0]


def test_words_are_translated_and_values_put_in(view: Any) -> None:
    words = {"{count} of {name}": "{name}: {count}"}
    values = {"count": 1234.0, "name": "{count}<b>"}
    assert (
        view.ask(ask="said", words=words, text="{count} of {name}", values=values)
        == "{count}<b>: 1,234"
    )
    assert view.ask(ask="said", words={}, text="{other}", values=values) == "{other}"
    assert [view.ask(ask="counted", count=count) for count in (0, 1, 2)] == [
        "0 samples",
        "1 sample",
        "2 samples",
    ]


def test_curves_are_one_a_name_and_empty_ones_left_out(view: Any) -> None:
    history = {
        "epoch": [1, 2],
        "step": [5, 10],
        "loss": [1, 0.5],
        "accuracy": [None, None],
        "validation_loss": [1, 1],
        "validation_r2": [None, 0.5],
        "learning_rate": [0.1, 0.1],
        "seconds": [1, 2],
    }
    assert view.ask(ask="curves", history=history) == ["loss", "r2", "learning_rate"]


def test_curves_of_several_runs_lie_over_the_epochs_of_all(view: Any) -> None:
    runs = [
        {"name": "one", "history": {"epoch": [1, 2], "loss": [3, 2]}},
        {"name": "two", "history": {"epoch": [2, 4], "loss": [5, 4]}},
        {"name": "three", "history": None},
    ]
    found = view.ask(ask="overlaid", runs=runs, column="loss")
    assert found["x"] == [1, 2, 4]
    assert [line["values"] for line in found["lines"]] == [
        [3, 2, None],
        [None, 5, 4],
        [None, None, None],
    ]


def test_settings_that_differ_are_named(view: Any) -> None:
    settings = [{"layers": [8], "seed": 0}, {"layers": [8, 8], "seed": 0, "l2": None}, {}]
    assert view.ask(ask="differing", settings=settings) == ["layers", "seed"]

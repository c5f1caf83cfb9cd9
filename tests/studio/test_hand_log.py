"""Arrays that are logged by hand: NumPy's, and PyTorch's without PyTorch."""

from typing import Any

import numpy as np
import pytest

from clearprop.errors import UsageError
from clearprop.studio import hand_log
from clearprop.studio.hand_log import HandLog, as_array
from clearprop.studio.program_messages import news, written_picture
from clearprop.studio.program_places import Picture, copied


class Tensor:
    """What PyTorch's tensors do: those that have a gradient, or lie elsewhere, are no arrays."""

    def __init__(self, data: Any, *, grad: Any = None, where: str = "cpu", is_leaf: bool = True):
        self.data, self.grad, self.where, self.is_leaf = np.asarray(data), grad, where, is_leaf

    def detach(self) -> "Tensor":
        return Tensor(self.data, where=self.where, is_leaf=False)

    def cpu(self) -> "Tensor":
        return Tensor(self.data, is_leaf=self.is_leaf)

    def float(self) -> "Tensor":
        return Tensor(self.data.astype(np.float32), where=self.where, is_leaf=self.is_leaf)

    def __array__(self, *_: Any, **__: Any) -> Any:
        if self.is_leaf:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.where != "cpu" or self.data.dtype == np.float16:  # it stands for bfloat16
            raise TypeError("can't convert it to numpy")
        return self.data


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Picture]:
    """All pictures: every step is due."""
    monkeypatch.setattr(hand_log, "INTERVAL", 0.0)
    monkeypatch.setattr(hand_log, "_REST", 0.0)
    return []


def arrays(picture: Picture) -> dict[str, tuple[str, str | None, list[float]]]:
    return {one.name: (one.role, one.of, one.values.ravel().tolist()) for one in picture.arrays}


W, G = np.array([[1.0, 2.0]]), np.array([[0.5, 0.25]])


@pytest.mark.parametrize("name", ["dW", "grad_W", "gradient_W", "W.grad", "W_grad", "W_gradient"])
def test_a_gradient_goes_by_its_parameter(name: str, seen: list[Picture]) -> None:
    HandLog(seen.append).log(2.0, {"W": W}, {name: G}, {"H": np.ones(2)})
    assert arrays(seen[0]) == {
        "W": ("parameter", None, [1.0, 2.0]),
        name: ("gradient", "W", [0.5, 0.25]),
        "H": ("activation", None, [1.0, 1.0]),
    }
    assert seen[0].cost == 2.0


def test_by_the_name_of_the_parameter_itself_or_by_none(seen: list[Picture]) -> None:
    HandLog(seen.append).log(None, {"W": W}, {"W": G, "other": W}, None)
    assert arrays(seen[0])["gradient of W"] == ("gradient", "W", [0.5, 0.25])
    assert arrays(seen[0])["other"] == ("gradient", None, [1.0, 2.0])
    assert seen[0].cost is None


def test_tensors_bring_their_gradients_along(seen: list[Picture]) -> None:
    parameters = {
        "fc.weight": Tensor(W, grad=Tensor(G, is_leaf=False)),
        "fc.bias": Tensor([3.0], where="cuda:0"),
        "half": Tensor(np.array([0.5], np.float16)),
    }
    HandLog(seen.append).log(Tensor(0.75, where="cuda:0"), parameters, None, None)
    assert arrays(seen[0]) == {
        "fc.weight": ("parameter", None, [1.0, 2.0]),
        "fc.weight.grad": ("gradient", "fc.weight", [0.5, 0.25]),
        "fc.bias": ("parameter", None, [3.0]),
        "half": ("parameter", None, [0.5]),
    }
    assert seen[0].cost == 0.75


def test_gradients_that_are_given_go_before_a_tensor_s_own(seen: list[Picture]) -> None:
    parameters = {"W": Tensor(W, grad=Tensor(W, is_leaf=False))}
    HandLog(seen.append).log(None, parameters, {"W": G}, None)
    assert [*arrays(seen[0])] == ["W", "gradient of W"]


def test_what_is_copied_does_not_change_with_the_program(seen: list[Picture]) -> None:
    given = W.copy()
    HandLog(seen.append).log(1.0, {"W": given}, None, None)
    given[...] = 0
    assert arrays(seen[0])["W"][2] == [1.0, 2.0]


def test_two_steps_tell_what_an_update_changes(seen: list[Picture]) -> None:
    log = HandLog(seen.append)
    for value in (3.0, 4.0, 5.0):
        log.log(None, {"W": np.array([value, 0.0])}, None, None)
    assert [one.ratios for one in seen] == [{}, {"W": 1 / 3}, {"W": 1 / 4}]
    assert [one.counters for one in seen] == [{"step": 1}, {"step": 2}, {"step": 3}]


def test_steps_that_are_not_due_cost_nothing_but_their_cost() -> None:
    seen: list[Picture] = []
    log = HandLog(seen.append)
    log._due = np.inf
    for step in range(5):
        log.log(float(step), {"W": object()}, None, None)  # which nobody looks at
    assert seen == []
    log.log(5.0, {"W": W}, None, None)
    log.finish()
    assert seen[0].lists == [("cost", 0, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0])]
    assert arrays(seen[0])["W"][2] == [1.0, 2.0]


def test_parameters_that_stay_are_not_copied_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copies = 0

    def counting(*given: Any) -> Any:
        nonlocal copies
        copies += 1
        return copied(*given)

    monkeypatch.setattr(hand_log, "copied", counting)
    monkeypatch.setattr(hand_log, "INTERVAL", np.inf)
    log = HandLog(lambda _: None)
    for _ in range(10):
        log.log(None, {"W": W}, None, None)
    assert copies == 2  # in the first step, and in the next to compare


def test_every_cost_is_told_once(seen: list[Picture]) -> None:
    log = HandLog(seen.append)
    for cost in (3.0, 2.0, np.float32(1.0), np.array([0.5]), 4):
        log.log(cost, {"W": W}, None, None)
    log.finish()
    told = [one for picture in seen for one in picture.lists]
    assert told == [
        ("cost", 0, [3.0]),
        ("cost", 1, [2.0]),
        ("cost", 2, [1.0]),
        ("cost", 3, [0.5]),
        ("cost", 4, [4.0]),
    ]


def test_of_very_many_arrays_the_first_are_shown(seen: list[Picture]) -> None:
    many = {f"W{n}": W for n in range(100)}
    HandLog(seen.append).log(None, many, {f"dW{n}": G for n in range(100)}, None)
    names = [one.name for one in seen[0].arrays]
    assert len(names) == 64
    assert names[:4] == ["W0", "dW0", "W1", "dW1"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"parameters": [W]}, r"parameters can't be logged: found list, .*named_parameters\(\)"),
        ({"gradients": {1: W}}, "gradients go by names, found 1"),
        ({"parameters": {"W": [1.0]}}, "W can't be logged: found list, expected an array"),
        ({"activations": {"H": "text"}}, "H can't be logged: found str"),
        ({"parameters": {"W": np.array(["a"])}}, "its entries are of <U1, expected real numbers"),
        ({"gradients": {"z": np.ones(2, complex)}}, "its entries are of complex128"),
        ({"parameters": {"W": np.array([None])}}, "its entries are of object"),
        ({"cost": np.ones(3)}, r"cost can't be logged: found shape \(3,\), expected one number"),
        ({"cost": "0.5"}, "cost can't be logged: found str"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(
    given: dict[str, Any], said: str, seen: list[Picture]
) -> None:
    empty = dict.fromkeys(("cost", "parameters", "gradients", "activations"))
    with pytest.raises(UsageError, match=said):
        HandLog(seen.append).log(**(empty | given))


@pytest.mark.parametrize("value", [1, 2.5, np.float32(1), np.arange(3), np.ones((2, 3, 4)), True])
def test_numbers_and_arrays_of_any_shape_are_taken(value: Any) -> None:
    assert np.array_equal(as_array("x", value), value)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 2, 2)])
def test_an_array_without_entries_is_shown_as_one(
    shape: tuple[int, ...], seen: list[Picture]
) -> None:
    HandLog(seen.append).log(1.0, {"W": np.ones(shape)}, None, None)
    told = news(*written_picture(seen[0], ""))
    assert (told.arrays[0].shape, told.arrays[0].numbers) == (shape, b"")

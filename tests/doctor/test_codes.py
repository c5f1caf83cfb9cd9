"""Codes of categories are names: how large they are is no illness."""

import numpy as np

import clearprop as cp
from clearprop.doctor.case import Case
from clearprop.doctor.training_data import UnscaledInputs
from clearprop.training.samples import checked_samples


def case(X: np.ndarray) -> Case:
    columns = cp.Columns.of_table(numbers=2, sizes=(500, 3))
    net = cp.Network(
        [columns, cp.NTKDense(4), cp.Blend(cp.ReLU()), cp.NTKDense(1)],
        loss=cp.MeanSquaredError(),
        input_shape=(4,),
    )
    return Case(network=net, start=net.copy(), samples=checked_samples(net, X, X[:, 0]))


def samples() -> np.ndarray:
    random_state = np.random.RandomState(0)
    codes = [random_state.randint(0, size, 30) for size in (500, 3)]
    return np.column_stack([random_state.standard_normal((30, 2)), *codes])


def test_large_codes_need_no_scaling() -> None:
    assert UnscaledInputs().look(case(samples()), ()) is None


def test_large_numbers_beside_codes_do() -> None:
    X = samples()
    X[:, 1] *= 50
    finding = UnscaledInputs().look(case(X), ())
    assert finding is not None
    assert finding.facts["feature"] == 1

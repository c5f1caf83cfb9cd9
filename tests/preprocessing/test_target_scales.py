"""Scales of skewed targets, against SciPy, scikit-learn and hand-made values."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import stats
from sklearn.preprocessing import PowerTransformer

from clearprop.data import Dataset
from clearprop.errors import DataError, UsageError
from clearprop.preprocessing import PowerScale, Preprocessing, ValueTarget, fit_recipe, values_of

Values = NDArray[np.float64]

PRICES: Values = np.exp(np.random.RandomState(0).randn(400) * 0.8 + 12)
COUNTS: Values = np.floor(np.random.RandomState(1).gamma(0.7, 30.0, 400))
PROFITS: Values = np.random.RandomState(2).gamma(1.0, 100.0, 400) - 60


def dataset_of(values: Any, name: str = "price") -> Dataset:
    y = np.asarray(values, dtype=np.float64)
    return Dataset("made", "array", np.zeros((len(y), 1)), y, None, target_name=name)


def scale_of(name: str, values: Values) -> PowerScale:
    return PowerScale.fit(name, values, float(values.min()))


def test_logarithms_are_those_by_hand() -> None:
    scale = scale_of("log", np.array([1.0, 100.0, 10.0]))
    assert (scale.exponent, scale.shift, scale.unit) == (0.0, 0, 10.0)
    np.testing.assert_allclose(scale.transform(np.array([10.0, 100.0])), [0.0, 2.302585092994046])
    with_zeros = scale_of("log", np.array([0.0, 4.0, 2.0, 6.0]))
    assert (with_zeros.shift, with_zeros.unit) == (1, 4.0)  # the median of those that are not 0
    np.testing.assert_allclose(with_zeros.transform(np.array([0.0, 4.0])), [0.0, np.log(2)])


def test_a_zero_elsewhere_shifts_the_logarithm_too() -> None:
    assert PowerScale.fit("log", PRICES, 0.0).shift == 1
    assert PowerScale.fit("power", PRICES, 0.0).shift == 1


@pytest.mark.parametrize("values", [PRICES, PRICES**-2.0, np.sqrt(PRICES) + 300])
def test_powers_of_values_above_0_are_those_of_box_and_cox(values: Values) -> None:
    scale = scale_of("power", values)
    _, exponent = stats.boxcox(values)
    assert scale.shift == 0
    assert scale.exponent == pytest.approx(np.clip(exponent, -3, 3), abs=1e-4)
    np.testing.assert_allclose(
        scale.transform(values), stats.boxcox(values / scale.unit, scale.exponent), rtol=1e-9
    )
    if abs(exponent) < 3:
        theirs = PowerTransformer("box-cox").fit_transform(values.reshape(-1, 1))
        ours = ValueTarget.fit(dataset_of(values), scale).encode(dataset_of(values))
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


@pytest.mark.parametrize("values", [COUNTS, PROFITS, -PROFITS])
def test_powers_of_other_values_are_those_of_yeo_and_johnson(values: Values) -> None:
    scale = scale_of("power", values)
    by_unit, exponent = stats.yeojohnson(values / scale.unit)
    assert scale.shift == 1
    assert scale.exponent == pytest.approx(exponent, abs=1e-4)
    np.testing.assert_allclose(scale.transform(values), by_unit, atol=1e-3)
    theirs = PowerTransformer("yeo-johnson").fit_transform(values.reshape(-1, 1) / scale.unit)
    ours = ValueTarget.fit(dataset_of(values), scale).encode(dataset_of(values))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


_magnitudes = st.floats(1e-30, 1e30)
_positive = arrays.arrays(np.float64, st.integers(2, 12), elements=_magnitudes)
_signed = arrays.arrays(np.float64, st.integers(2, 12), elements=st.floats(-1e6, 1e6))


@given(values=_positive | _signed.map(np.abs), name=st.sampled_from(["log", "power"]))
def test_values_come_back_from_their_scale(values: Values, name: str) -> None:
    dataset = dataset_of(values)
    target = ValueTarget.fit(dataset, scale_of(name, values))
    back = target.restore(target.encode(dataset))
    if name == "log" and values.min() > 0:
        np.testing.assert_allclose(back, values, rtol=1e-9, atol=1e-300)
    else:  # small values lose digits beside large ones, as they do in a sum
        np.testing.assert_allclose(back, values, rtol=1e-5, atol=1e-5 * values.max())


@given(values=_signed)
def test_values_of_both_signs_come_back_from_their_power(values: Values) -> None:
    target = ValueTarget.fit(dataset_of(values), scale_of("power", values))
    back = target.restore(target.encode(dataset_of(values)))
    np.testing.assert_allclose(back, values, rtol=1e-5, atol=1e-5 * np.abs(values).max())


@given(
    values=_positive | _signed,
    exponent=st.floats(-3, 3),
    answers=arrays.arrays(np.float64, 4, elements=st.floats(-1e300, 1e300)),
)
def test_no_answer_is_infinite_or_beyond_the_bounds(
    values: Values, exponent: float, answers: Values
) -> None:
    scale = replace(scale_of("power", values), exponent=exponent)
    back = scale.inverse(answers)
    most = 3 * (np.abs(values).max() or 1)
    assert np.isfinite(back).all()
    assert (np.abs(back) <= most).all()
    if values.min() >= 0:
        assert (back >= 0).all()
    order = np.argsort(answers)
    assert (np.diff(back[order]) >= -1e-9 * most).all()


def test_the_scale_is_saved_with_the_recipe_and_old_recipes_have_none() -> None:
    dataset = dataset_of(PRICES)
    plain = fit_recipe(dataset)
    recipe = replace(plain, target=ValueTarget.fit(dataset, scale_of("power", PRICES)))
    assert Preprocessing.from_config(recipe.to_config()) == recipe
    config: Any = plain.to_config()
    del config["target"]["scale"]  # as versions before it wrote it
    assert Preprocessing.from_config(config) == plain


@pytest.mark.parametrize(
    "wrong",
    [
        *({"exponent": 3.5}, {"exponent": float("nan")}, {"shift": 2}, {"unit": 0.0}),
        *({"bounds": [1.0, 1.0]}, {"bounds": [0.0]}, {"bounds": 5.0}, {"unit": "1"}),
        {"exponent": True},
    ],
)
def test_a_scale_that_can_t_be_is_refused(wrong: dict[str, Any]) -> None:
    dataset = dataset_of(PRICES)
    config: Any = replace(
        fit_recipe(dataset), target=ValueTarget.fit(dataset, scale_of("log", PRICES))
    ).to_config()
    config["target"]["scale"] |= wrong
    with pytest.raises(UsageError):
        Preprocessing.from_config(config)


def test_a_scale_is_for_one_output() -> None:
    with pytest.raises(UsageError, match="a scale for 2 outputs"):
        ValueTarget((0.0, 0.0), (1.0, 1.0), "y", scale_of("log", PRICES))
    with pytest.raises(UsageError, match="of the type str; expected a PowerScale"):
        ValueTarget((0.0,), (1.0,), "y", "log")  # type: ignore[arg-type]


def test_what_has_no_logarithm_is_named() -> None:
    with pytest.raises(DataError, match=r"The target holds -59\.\d+, and values below 0 have no"):
        scale_of("log", PROFITS)
    target = ValueTarget.fit(dataset_of(PRICES), scale_of("log", PRICES))
    later = dataset_of([5.0, 0.0, -1.0])
    with pytest.raises(DataError, match=r"row 2 is 0, but only values above 0 have the logarithm"):
        target.encode(later)
    assert target.truth(later).tolist() == [5.0, 0.0, -1.0]


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308, 1.0], [1e-300, 1.0, 1e300], [0.0, 1e151]])
def test_values_whose_squares_overflow_are_refused_in_one_sentence(values: list[float]) -> None:
    row = int(np.argmax(np.abs(values))) + 1
    wanted = (
        rf"^The target of row {row} in made is \S+; errors of values beyond 1e\+150 can't be sq"
    )
    for use in (ValueTarget.fit, ValueTarget((0.0,), (1.0,), "y").encode, values_of):
        with pytest.raises(DataError, match=wanted):
            use(dataset_of(values))


def test_values_over_200_orders_of_magnitude_are_learned() -> None:
    values = 10.0 ** np.linspace(-100, 100, 50)
    for scale in (None, scale_of("log", values), scale_of("power", values)):
        encoded = ValueTarget.fit(dataset_of(values), scale).encode(dataset_of(values))
        assert np.isfinite(encoded).all()
    assert scale_of("power", values).exponent == pytest.approx(0, abs=1e-3)


def test_a_value_far_from_all_that_was_learned_is_named() -> None:
    target = ValueTarget.fit(dataset_of([1.0, 2.0, 3.0]))
    with pytest.raises(DataError, match=r"of row 2 is 1e\+40, more than 1e\+15 standard deviatio"):
        target.encode(dataset_of([2.0, 1e40]))


def test_scales_are_told_in_words_and_formulas() -> None:
    log, power = scale_of("log", np.array([1.0, 10.0, 100.0])), scale_of("power", COUNTS)
    assert (log.in_words, log.formula("price")) == ("logarithm", "ln(price / 10)")
    assert power.in_words == f"power {power.exponent:.2g}"
    written = power.formula("n").replace("^", "**")
    told = eval(written, {"n": COUNTS})  # noqa: S307 - our own formula, to compare its value
    np.testing.assert_allclose(told, power.transform(COUNTS), rtol=1e-4, atol=1e-6)

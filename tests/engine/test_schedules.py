"""Schedules against PyTorch's schedulers and their own formulas."""

from itertools import pairwise

import numpy as np
import pytest
from golden_values import golden
from hypothesis import given
from hypothesis import strategies as st

from clearprop.core.schedules import (
    ConstantSchedule,
    CosineSchedule,
    CosLogSchedule,
    ExponentialSchedule,
    FlatCosineSchedule,
    OneCycleSchedule,
    Schedule,
    StepSchedule,
    WarmUp,
)
from clearprop.errors import UsageError

GOLDEN = golden("schedules")
SCHEDULES: dict[str, Schedule] = {
    "step": StepSchedule(0.4, every=10, factor=0.5),
    "exponential": ExponentialSchedule(0.4, every=10),
    "cosine": CosineSchedule(0.4, steps=40, final=0.01),
    "one_cycle": OneCycleSchedule(0.4, steps=40),
    "one_cycle_fractional": OneCycleSchedule(
        0.4, steps=33, rise=0.45, start_divisor=10, final_divisor=100
    ),
    "warm_up": WarmUp(8, ConstantSchedule(0.4)),
}


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_rates_are_those_of_pytorch(name: str) -> None:
    rates = [SCHEDULES[name](step) for step in range(len(GOLDEN[name]))]
    np.testing.assert_allclose(rates, GOLDEN[name], rtol=1e-12)


def test_the_constant_is_constant() -> None:
    assert {ConstantSchedule(0.3)(step) for step in (0, 1, 10_000)} == {0.3}


def test_past_their_end_schedules_stay_where_they_ended() -> None:
    assert CosineSchedule(0.4, steps=10, final=0.1)(10) == pytest.approx(0.1)
    assert CosineSchedule(0.4, steps=10, final=0.1)(1000) == pytest.approx(0.1)
    assert OneCycleSchedule(0.5, steps=10)(9) == pytest.approx(0.5 / 25 / 1e4)
    assert OneCycleSchedule(0.5, steps=10)(1000) == pytest.approx(0.5 / 25 / 1e4)


def test_after_the_warm_up_the_other_schedule_begins_at_its_beginning() -> None:
    then = StepSchedule(0.8, every=2, factor=0.5)
    rates = [WarmUp(4, then)(step) for step in range(8)]
    np.testing.assert_allclose(rates, [0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.4, 0.4])


@given(
    steps=st.integers(1, 60),
    rise=st.one_of(st.sampled_from([0.1, 0.25, 0.5]), st.floats(0.01, 0.99)),
)
def test_one_cycle_rises_once_and_falls_once(steps: int, rise: float) -> None:
    schedule = OneCycleSchedule(1.0, steps=steps, rise=rise)
    rates = [schedule(step) for step in range(steps + 2)]
    assert max(rates) <= 1
    assert min(rates) > 0
    directions = [later > earlier for earlier, later in pairwise(rates) if later != earlier]
    assert directions == sorted(directions, reverse=True)
    assert rates[steps - 1] == pytest.approx(1 / 25 / 1e4)


@given(steps=st.integers(1, 60), final=st.floats(0, 1))
def test_the_cosine_never_rises(steps: int, final: float) -> None:
    schedule = CosineSchedule(1.0, steps=steps, final=final)
    rates = [schedule(step) for step in range(steps + 2)]
    assert rates[0] == 1
    assert all(later <= earlier for earlier, later in pairwise(rates))


@given(steps=st.integers(1, 200))
def test_coslog_swings_four_times_between_zero_and_its_peak(steps: int) -> None:
    schedule = CosLogSchedule(0.3, steps=15 * steps)
    for share in (0, 1, 3, 7, 15):
        assert schedule(share * steps) == pytest.approx(0, abs=1e-12)
    # Half a swing on: log2(1 + 15 t) is k + 1/2.
    tops = [round((2 ** (swing + 0.5) - 1) * steps) for swing in range(4)]
    if steps > 20:
        assert [schedule(top) for top in tops] == pytest.approx([0.3] * 4, rel=1e-2)
    rates = [schedule(step) for step in range(15 * steps + 3)]
    assert 0 <= min(rates) <= max(rates) <= 0.3
    t = np.arange(15 * steps) / (15 * steps)
    expected = 0.3 * (1 - np.cos(2 * np.pi * np.log2(1 + 15 * t))) / 2
    np.testing.assert_allclose(rates[: 15 * steps], expected, atol=1e-12)
    assert rates[-1] == schedule(15 * steps)


@given(steps=st.integers(1, 60))
def test_the_flat_cosine_stays_for_half_of_the_steps(steps: int) -> None:
    schedule = FlatCosineSchedule(0.3, steps=steps)
    values = [schedule(step) for step in range(steps + 3)]
    t = np.minimum(np.arange(steps + 3) / steps, 1)
    expected = 0.3 * (1 + np.cos(np.pi * (np.maximum(1, 2 * t) - 1))) / 2
    np.testing.assert_allclose(values, expected, atol=1e-15)
    assert {schedule(step) for step in range(steps // 2 + 1)} == {0.3}
    assert values[-1] == 0


@pytest.mark.parametrize(
    ("schedule", "fields", "message"),
    [
        (ConstantSchedule, {"learning_rate": -1}, "learning rate.*found -1"),
        (StepSchedule, {"learning_rate": float("nan"), "every": 1}, "learning rate.*found nan"),
        (StepSchedule, {"learning_rate": 1, "every": 0}, "at least one step.*found 0"),
        (ExponentialSchedule, {"learning_rate": 1, "every": -3}, "at least one step.*found -3"),
        (CosineSchedule, {"learning_rate": 1, "steps": 0}, "at least one step.*found 0"),
        (OneCycleSchedule, {"peak": float("inf"), "steps": 9}, "learning rate.*found inf"),
        (OneCycleSchedule, {"peak": 1, "steps": 0}, "at least one step.*found 0"),
        (OneCycleSchedule, {"peak": 1, "steps": 9, "rise": 1}, "needs a rise"),
        (OneCycleSchedule, {"peak": 1, "steps": 9, "start_divisor": 0}, "needs divisors"),
        (CosLogSchedule, {"peak": -1, "steps": 9}, "learning rate.*found -1"),
        (CosLogSchedule, {"peak": 1, "steps": 0}, "at least one step.*found 0"),
        (FlatCosineSchedule, {"first": float("nan"), "steps": 9}, "first value.*found nan"),
        (FlatCosineSchedule, {"first": 1, "steps": 0}, "at least one step.*found 0"),
        (WarmUp, {"steps": 0, "then": ConstantSchedule(1)}, "at least one step.*found 0"),
    ],
)
def test_impossible_schedules_are_refused(
    schedule: type[Schedule], fields: dict[str, float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        schedule(**fields)

"""Numbers by which a gradient may be wrong, and what each of them means."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from clearprop.gradcheck.diagnosis.hypotheses.formulas import readable
from clearprop.gradcheck.diagnosis.hypotheses.guess import Place, Step, Steps


@dataclass(frozen=True)
class Factor:
    """A number with a meaning.

    Parameters
    ----------
    value : float
    causes : tuple of str
    over : str, optional
        What the sum over samples is divided by, as text, if not by what it should be; empty for
        nothing.
    times : str
        What stands before the product.
    equals : tuple of str
        Other causes of the same number.
    variant : str
        See `Step`; the text of the factor unless given.
    scale : float, optional
        By what the cost would have to be multiplied for the gradient to be right, besides 1/m.
    """

    value: float
    causes: tuple[str, ...]
    over: str | None = None
    times: str = ""
    equals: tuple[str, ...] = ()
    variant: str = ""
    scale: float | None = None


def meanings(value: float, at: Place, target: str, *, telling: bool) -> list[Steps]:
    """Say what a factor may mean.

    Parameters
    ----------
    value : float
        What the line's right value has to be multiplied by to give theirs.
    at : Place
    target : {"dZ", "dA", "dW", "db"}
        What the line computes.
    telling : bool
        Whether a number without any usual meaning is believed.

    Returns
    -------
    list of tuple of Step
        Each a meaning, the likelier first; the factor 1 has one, without steps.
    """
    same = 3 * at.close
    if abs(value - 1) < same:
        return [()]
    simple = list(_simple(at, target))
    pairs = (_both(one, other) for one, other in combinations(simple, 2))
    for factors in (simple, pairs):
        found = [one for one in factors if one and abs(value / one.value - 1) < same]
        if found:
            return [tuple(_step(cause, one, at, target) for cause in one.causes) for one in found]
    unnamed = Factor(value, ("factor",), times=f"{readable(value)} * ")
    return [(_step("factor", unnamed, at, target),)] if telling else []


def parts_of(value: float, at: Place, target: str) -> list[float]:
    """Return the factors that a number may be made of, where it has no meaning of its own."""
    same, simple = 3 * at.close, list(_simple(at, target))
    if any(abs(value / one.value - 1) < same for one in simple):
        return []
    return [
        part.value
        for pair in combinations(simple, 2)
        for part in pair
        if (both := _both(*pair)) and abs(value / both.value - 1) < same
    ]


def usual_causes(at: Place, target: str) -> list[str]:
    """Return the causes of the factors that a line is tried with."""
    return list(dict.fromkeys(cause for factor in _simple(at, target) for cause in factor.causes))


def _simple(at: Place, target: str) -> Iterator[Factor]:
    run, m = at.run, at.run.m
    if target == "dZ" and at.layer == run.L:
        yield from _of_output(at)
    yield Factor(-1, ("sign",), times="-")
    yield Factor(2, ("factor_two",), times="2 * ")
    yield Factor(0.5, ("factor_two",), times="1/2 * ")
    if target == "db":
        yield Factor(1 / m, ("bias_averaged",), times="1/m * ", equals=("mean_twice",))
    if run.plan.summed:  # so that nothing is to be divided
        yield Factor(1 / m, ("other_loss",), over="m")
        return
    yield Factor(m, ("mean_missing",), over="")
    yield Factor(1 / m, ("mean_twice",), over="m**2")
    for kind, size, written in _sizes(at):
        if size != m:
            yield Factor(m / size, ("mean_axis",), over=written, variant=kind)
    for size, written in ((m - 1, "(m - 1)"), (m + 1, "(m + 1)")):
        if size:
            yield Factor(m / size, ("mean_axis",), over=written)


def _of_output(at: Place) -> Iterator[Factor]:
    run = at.run
    if run.plan.scale not in run.plan.cost.usual:  # the cost is the unusual one, not the gradient
        cause = "cost_sign" if run.plan.scale < 0 else "other_loss"
        for usual in run.plan.cost.usual:
            yield Factor(usual / run.plan.scale, (cause,), scale=usual)
    yield Factor(-1, ("swapped",), times="-", equals=("sign",))
    if (outputs := len(run.Y)) > 1:
        yield Factor(1 / outputs, ("other_loss",), times=f"1/{outputs} * ")
        yield Factor(outputs, ("other_loss",), times=f"{outputs} * ")


def _sizes(at: Place) -> Iterator[tuple[str, int, str]]:
    """Yield the sizes that may be taken for the number of samples, by the array they are of."""
    run, name = at.run, at.formulas.name
    axis = 1 if run.plan.form.rows else 0
    previous = run.inputs if at.layer == 1 else len(run.A[at.layer - 1])
    for kind, size, array in (
        ("A_prev", previous, name("A", at.layer - 1)),
        ("dZ", len(run.A[at.layer]), name("dZ")),
        ("X", run.inputs, "X"),
        ("Y", len(run.Y), "Y"),
    ):
        yield kind, size, f"{array}.shape[{axis}]"


def _both(one: Factor, other: Factor) -> Factor | None:
    """Return the product of two factors that can stand in one line together."""
    if one.causes == other.causes or None not in (one.over, other.over):
        return None
    over = one.over if other.over is None else other.over
    return Factor(one.value * other.value, one.causes + other.causes, over, one.times + other.times)


def _step(cause: str, factor: Factor, at: Place, target: str) -> Step:
    theirs, ours = _lines(factor, at, target)
    equals = factor.equals if cause == factor.causes[0] else ()
    variant = factor.variant or f"{factor.times}1/{factor.over}"
    return Step(cause, at.layer, target, theirs, ours, variant, equals, factor.value)


def _lines(factor: Factor, at: Place, target: str) -> tuple[str, str]:
    write = at.formulas
    if "cost_sign" in factor.causes:
        total = "np.sum(...)"
        return f"cost = {write.mean(total)}", f"cost = {write.mean(total, times='-')}"
    if target == "dW":
        return write.dW(over=factor.over, times=factor.times), write.whole_dW()
    if target == "db":
        return write.db(over=factor.over, times=factor.times), write.db()
    if factor.over is not None and at.layer == at.run.L:  # it usually stands with dW and db
        return write.dW(over=factor.over, times=factor.times), write.whole_dW()
    known = {None: "", "": "m * ", "m": "1/m * ", "m**2": "1/m * "}
    over = known.get(factor.over, f"m/{factor.over} * ")
    times = factor.times + over
    if factor.scale is not None:
        return write.output(factor.scale), write.output()
    if at.layer == at.run.L:
        name, right = write.output().split(" = ", 1)
        return f"{name} = {times}({right})", write.output()
    return write.dA(before=times), write.dA()

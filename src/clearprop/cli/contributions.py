"""Contributions in words: what each column adds to an answer, and what that is made of."""

import math

import numpy as np

from clearprop.cli import output
from clearprop.core.expressions import number_text
from clearprop.core.printable import fitted, readable
from clearprop.errors import counted
from clearprop.experiment.explained import Coalitions, Explained, Way
from clearprop.explain import IntegratedGradients

_SMOOTH = 1e-8  # of the answer: a residual above it is told of
LONGEST = 60
"""Characters of a column's name, or of a group's, that are shown in a table."""

_CELL = 40  # characters of a cell that are shown
_DIGITS = 5
_SMALLEST, _LARGEST = 1e-3, 1e15  # between which numbers are written without exponents


def say_sample(found: Explained, sample: int) -> None:
    """Print an answer, and what each column adds to it."""
    own, amount = found.found, _Amount(found)
    names = [own.names[place] for place in found.order]
    said = ""
    if isinstance(found.prediction, str):  # a value is what is explained, and told below
        said = f"the answer is {found.prediction!r}. "
    where = "the mean answer for"
    if isinstance(own, IntegratedGradients):
        where = "the answer at the mean of"
    background = f"{counted(found.background, 'row')} of {found.of}"
    output.say_line(
        f"{found.source} (sample {sample}): {said}The {found.asked.name} is "
        f"{amount(own.answer)}: {amount(own.base)}, {where} {background}, and what the columns "
        "add."
    )
    rows = [
        (fitted(name, LONGEST), fitted(found.cell(name), _CELL), amount.signed(adds))
        for name, adds in zip(names, found.ordered, strict=True)
    ]
    if (more := len(rows) - output.MOST_ROWS) > 0:  # what is seen adds up, too
        rest = math.fsum(found.ordered[output.MOST_ROWS :])
        rows[output.MOST_ROWS :] = [(f"{more:,} others", "--json has them", amount.signed(rest))]
    rows.append(("sum", "", amount.signed(own.answer - own.base)))
    output.say_table(("column ", "cell ", "adds"), rows)
    if isinstance(own, IntegratedGradients):
        nodes = counted(len(own.nodes), "derivative")
        how = f"Integrated gradients, over {nodes}, as {len(names)} columns are too many for exact"
        output.say_line(f"{how} Shapley values; --group takes some as one.")
    else:
        output.say_line(f"Exact Shapley values, over {2 ** len(names):,} coalitions of columns.")
    rough = abs(own.residual) > _SMOOTH * max(1.0, abs(own.answer), abs(own.base))
    output.say_line(
        f"Residual of the sum: {own.residual:.1e}"
        + (": the network bends more often on the way than was followed." if rough else ".")
    )
    output.say_line(f"To see what one is made of: --open {output.word(names[0])}")


def say_coalitions(found: Explained, opened: Coalitions) -> None:
    """Print the terms of a Shapley value."""
    amount = _Amount(found)
    _say_head(found, opened, amount)
    output.say_line("It is the mean of what it adds when so many others are known before:")
    rows = [(f"{size:,}", amount.signed(adds)) for size, adds in opened.by_size]
    output.say_table(("known before", "adds"), [*rows, ("mean", amount.signed(opened.adds))])
    output.say()
    output.say_line(
        "Each of these is the mean over the coalitions of that size. All terms, weight (with - "
        "without):"
    )
    rest = max(map(len, opened.known))
    table = [
        (
            _known(known, rest),
            f"{weight:.4g}",
            amount(low),
            amount(high),
            amount.signed(high - low),
            amount.signed(term),
        )
        for known, (weight, low, high, term) in zip(
            opened.known, opened.numbers.tolist(), strict=True
        )
    ]
    output.say_table(
        ("known before ", "weight", "without", "with", "difference", "term"),
        table,
        most=output.MOST_ROWS,
    )
    output.say_line(f"The sum of all {len(table):,} terms is {amount.signed(opened.adds)}.")


def _known(known: tuple[str, ...], rest: int) -> str:
    if not known:
        return "nothing"
    return "all others" if len(known) == rest and rest > 1 else ", ".join(known)


def say_way(found: Explained, opened: Way) -> None:
    """Print what integrated gradients of a column are the sum of."""
    amount = _Amount(found)
    _say_head(found, opened, amount)
    output.say_line(
        "It is the sum over its prepared inputs of how far they go from the mean of the rows, "
        "times the mean slope of the answer on the way:"
    )
    adds = opened.difference * opened.mean_slopes
    columns = (opened.baseline, opened.x, opened.difference, opened.mean_slopes)
    rows = [
        (fitted(name, LONGEST), *map(number_text, numbers), amount.signed(added))
        for name, numbers, added in zip(
            opened.input_names,
            zip(*(one.tolist() for one in columns), strict=True),
            adds.tolist(),
            strict=True,
        )
    ]
    output.say_table(
        ("input ", "from", "to", "difference", "mean slope", "adds"), rows, most=output.MOST_ROWS
    )
    output.say()
    output.say_line(
        "The nodes of the mean, t from 0 to 1, weight (slopes times differences), the largest "
        "terms first:"
    )
    along, most = (
        opened.slopes @ opened.difference,
        np.argsort(-np.abs(opened.terms), kind="stable"),
    )
    output.say_table(
        ("t", "weight", "slopes times differences", "term"),
        (
            (f"{t:.6f}", f"{weight:.4g}", amount.signed(slope), amount.signed(term))
            for t, weight, slope, term in zip(
                *(
                    one[most].tolist()
                    for one in (opened.nodes, opened.weights, along, opened.terms)
                ),
                strict=True,
            )
        ),
        most=output.MOST_ROWS,
    )
    output.say_line(f"The sum of all {len(opened.nodes):,} terms is {amount.signed(opened.adds)}.")


def _say_head(found: Explained, opened: Coalitions | Way, amount: "_Amount") -> None:
    cell = fitted(found.cell(opened.name), _CELL)
    output.say_line(
        f"{found.source}: {opened.name} = {cell} adds {amount.signed(opened.adds)} to the "
        f"{found.asked.name}."
    )


class _Amount:
    """Writes amounts in the unit of what is explained, values all to the same digit."""

    def __init__(self, found: Explained) -> None:
        self._is_share = found.asked.is_probability
        own = found.found
        largest = max(abs(own.answer), abs(own.base), *map(abs, found.ordered))
        self._decimals: int | None = None
        if _SMALLEST <= largest < _LARGEST:
            self._decimals = max(0, _DIGITS - 1 - math.floor(math.log10(largest)))

    def __call__(self, value: float) -> str:
        if self._is_share:
            return output.percent(round(value, 4) + 0.0)  # a negative zero is a zero
        if self._decimals is None:
            return readable(value, _DIGITS)
        return f"{round(value, self._decimals) + 0.0:,.{self._decimals}f}"

    def signed(self, value: float) -> str:
        """Write what is added: with its sign."""
        text = self(value)
        return text if text.startswith("-") else f"+{text}"

"""What logits say, as columns of SQL: classes, values, and how sure they are."""

import math
from collections.abc import Iterator

from clearprop.exports.description import Answer, ClassAnswer, ValueAnswer
from clearprop.exports.sql.query import (
    Query,
    Term,
    column,
    literal,
    needing,
    number,
    of,
    text_literal,
    total,
)
from clearprop.preprocessing import PowerScale

_EXPONENT = 700.0  # whose exponential is finite


def answers(query: Query, answer: Answer, logits: list[str]) -> None:
    """Make the last table: answers, and then logits."""
    z = [column(name) for name in logits]
    written = _of_classes if isinstance(answer, ClassAnswer) else _of_values
    results = dict(written(query, answer, z))  # type: ignore[arg-type] # by the branch above
    results |= {f"logit_{k}": one for k, one in enumerate(z)}
    query.table("answers", results, ())


def _of_classes(query: Query, answer: ClassAnswer, z: list[Term]) -> Iterator[tuple[str, Term]]:
    names = [text_literal(name, "The class") for name in answer.names]
    scaled = z
    if answer.temperature != 1:
        scaled = [query.held(of("{0} / {1}", one, number(answer.temperature))) for one in z]
    shares = _shares(query, answer, scaled)
    yield "answer", _label(query, answer, names, z, shares)
    for k, share in enumerate(shares):
        yield f"probability_{k}", share
    if answer.most is not None:
        for k, held in enumerate(_sets(query, answer, scaled)):
            yield f"in_set_{k}", held


def _shares(query: Query, answer: ClassAnswer, z: list[Term]) -> list[Term]:
    if answer.link == "identity":
        return []
    if answer.link == "logistic":
        both = [query.negative(z[0]), z[0]]
        return [
            query.held(of("1E0 / (1E0 + {0})", query.call("exp", (query.negative(one),))))
            for one in both
        ]
    e = _exponentials(query, z, _largest(query, z))
    every = query.held(total(e))
    return [query.held(of("{0} / {1}", one, every)) for one in e]


def _exponentials(query: Query, z: list[Term], largest: Term) -> list[Term]:
    below = (of("({0} - {1})", one, largest) for one in z)
    return [query.held(query.call("exp", (one,))) for one in below]


def _largest(query: Query, terms: list[Term]) -> Term:
    """Return the largest, two by two."""
    while len(terms) > 1:
        pairs = [terms[at : at + 2] for at in range(0, len(terms), 2)]
        terms = [query.held(query.larger(*one)) if len(one) == 2 else one[0] for one in pairs]
    return terms[0]


def _label(
    query: Query, answer: ClassAnswer, names: list[str], z: list[Term], shares: list[Term]
) -> Term:
    """Return the name of the likeliest class, or of the one that a threshold says."""
    if answer.threshold is not None:
        share, least = shares[answer.positive], literal(answer.threshold)
        tests = {answer.positive: f">= {least}", 1 - answer.positive: f"< {least}"}
    elif len(z) == 1:
        share, tests = z[0], {1: "> 0E0", 0: "<= 0E0"}
    else:
        share = _largest(query, z)
        tests = {k: f"= {one.text}" for k, one in enumerate(z)}
    # Without a number none of them holds, and the answer is NULL.
    cases = " ".join(f"WHEN {share.text} {test} THEN {names[k]}" for k, test in tests.items())
    return needing(f"CASE {cases} END", share, *z)


def _sets(query: Query, answer: ClassAnswer, z: list[Term]) -> list[Term]:
    """Return 1 where log((1 - p) / p) is small enough for a class, else 0."""
    most = answer.most or 0.0
    if len(z) == 1:
        against = [z[0].text, f"(-{z[0].text})"]
        return [
            needing(f"CASE WHEN {one} <= {literal(most)} THEN 1 ELSE 0 END", z[0])
            for one in against
        ]
    largest = _largest(query, z)
    e = _exponentials(query, z, largest)
    every = query.held(total(e))
    odds = literal(math.exp(min(most, _EXPONENT)))
    found = []
    for k, (own, one) in enumerate(zip(z, e, strict=True)):
        # Beside the largest one, the rest would lose its digits: it is added up anew.
        others = query.held(total([*e[:k], *e[k + 1 :]]))
        rest = (
            f"CASE WHEN {own.text} = {largest.text} THEN {others.text} "
            f"ELSE {every.text} - {one.text} END"
        )
        text = f"CASE WHEN {rest} <= {odds} * {one.text} THEN 1 ELSE 0 END"
        found.append(needing(text, own, largest, others, every, one))
    return found


def _of_values(query: Query, answer: ValueAnswer, z: list[Term]) -> Iterator[tuple[str, Term]]:
    if answer.levels:
        z = _ascending(query, z)
    linked = [_within(query, answer, at, one) for at, one in enumerate(_linked(query, answer, z))]
    several = len(answer.mean) > 1
    for at, one in enumerate(linked):
        yield f"answer_{at}" if several else "answer", _restored(query, answer, at, one)
    if answer.levels:
        for k, one in enumerate(z):
            yield f"quantile_{k}", _restored(query, answer, 0, _within(query, answer, 0, one))
    if answer.most is None:
        return
    for at, one in enumerate(linked):
        ends = (one, one)
        if answer.ends:
            first, second = (_within(query, answer, at, z[end]) for end in answer.ends)
            ends = (first, second)
        interval = _interval(query, answer.most, *ends)
        for name, end in zip(("low", "high"), interval, strict=True):
            yield f"{name}_{at}" if several else name, _restored(query, answer, at, end)


def _interval(query: Query, most: float, low: Term, high: Term) -> tuple[Term, Term]:
    low, high = (of("({0} + {1})", low, number(-most)), of("({0} + {1})", high, number(most)))
    if most < 0:  # quantiles so near that nothing may be left between them
        low, high = query.held(low), query.held(high)
        middle = query.held(of("({0} + {1}) / 2E0", low, high))
        smaller = query.negative(query.larger(query.negative(low), query.negative(middle)))
        return smaller, query.larger(high, middle)
    return low, high


def _ascending(query: Query, z: list[Term]) -> list[Term]:
    """Sort by exchanging neighbours, as often as there are numbers."""
    z = list(z)
    for turn in range(len(z)):
        for at in range(turn % 2, len(z) - 1, 2):
            low, high = z[at], z[at + 1]
            test = f"CASE WHEN {low.text} <= {high.text} THEN"
            z[at], z[at + 1] = (
                query.held(needing(f"{test} {one.text} ELSE {other.text} END", low, high))
                for one, other in ((low, high), (high, low))
            )
    return z


def _linked(query: Query, answer: ValueAnswer, z: list[Term]) -> list[Term]:
    if answer.median:
        return [total([of("{0} * {1}", z[place], number(share)) for place, share in answer.median])]
    if answer.link == "exp":
        return [of("EXP({0})", query.between(one, -_EXPONENT, _EXPONENT)) for one in z]
    if answer.link == "logistic":
        negated = (query.call("exp", (query.negative(one),)) for one in z)
        return [of("1E0 / (1E0 + {0})", one) for one in negated]
    return z


def _within(query: Query, answer: ValueAnswer, at: int, z: Term) -> Term:
    if answer.low is None or answer.high is None:
        return z
    return query.between(z, answer.low[at], answer.high[at])


def _restored(query: Query, answer: ValueAnswer, at: int, z: Term) -> Term:
    """Return y = inverse(z std + mean)."""
    t = of("({0} * {1} + {2})", z, number(answer.std[at]), number(answer.mean[at]))
    return t if answer.scale is None else _inverse(query, t, answer.scale)


def _inverse(query: Query, t: Term, scale: PowerScale) -> Term:
    """Return what `PowerScale.inverse` computes."""
    low, high = scale.bounds
    # No further than the bounds, which cut the answer: so that nothing leaves float64.
    furthest = math.log(max(abs(low), abs(high)) / scale.unit + 1) + 1
    if not scale.shift:
        y = of("EXP({0})", _root(query, t, scale.exponent, furthest))
    else:
        up = _root(query, query.larger(t, number(0.0)), scale.exponent, furthest)
        below = query.larger(query.negative(t), number(0.0))
        down = _root(query, below, 2.0 - scale.exponent, furthest)
        y = of("(EXP({0}) - EXP({1}))", up, down)
    return query.between(of("({0} * {1})", y, number(scale.unit)), low, high)


def _root(query: Query, power: Term, exponent: float, furthest: float) -> Term:
    """Return ln(1 + e t) / e, or t where e is 0; no further than a number, on both sides."""
    if not exponent:
        return query.between(power, -_EXPONENT, furthest)
    u = query.held(of("({0} * {1})", power, number(exponent)))
    # ln(1 + u) by what 1 + u is after rounding. Source: Goldberg, "What Every Computer Scientist
    # Should Know About Floating-Point Arithmetic" (1991), theorem 4.
    rounded = query.held(of("(1E0 + {0})", u))
    end = furthest if exponent < 0 else -_EXPONENT
    text = (
        f"CASE WHEN {rounded.text} <= 0E0 THEN {literal(end)}"
        f" WHEN {rounded.text} = 1E0 THEN {u.text} / {literal(exponent)}"
        f" ELSE LN({rounded.text}) * ({u.text} / ({rounded.text} - 1E0)) / {literal(exponent)} END"
    )
    return query.between(needing(text, u, rounded), -_EXPONENT, furthest)

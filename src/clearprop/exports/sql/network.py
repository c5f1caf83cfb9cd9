"""A network's operations as tables of SQL, a column a unit."""

import numpy as np

from clearprop.core import program
from clearprop.core.parameters import Array
from clearprop.core.program import Operation
from clearprop.core.spelling import spelled
from clearprop.errors import UsageError
from clearprop.exports.description import Description
from clearprop.exports.sql.query import Query, Term, column, literal, needing, number, of, total


def logits(query: Query, description: Description, inputs: list[str]) -> list[str]:
    """Make the tables of a network, and return the columns of its logits.

    Parameters
    ----------
    query : Query
    description : Description
    inputs : list of str
        The columns of a prepared sample.
    """
    values = {description.input.place: inputs}
    said = ""
    for at, op in enumerate(description.operations):
        later = [one for other in description.operations[at + 1 :] for one in other.inputs]
        x = [values[one.place] for one in op.inputs]
        values[op.out.place] = columns = _same_columns(op, x)
        if columns:
            continue
        keep = {name for one in (*later, description.output) for name in values.get(one.place, ())}
        results = {f"x{op.out.place}_{k}": one for k, one in enumerate(_operation(query, op, x))}
        values[op.out.place] = list(results)
        layer = op.layer.partition(".")[0]
        remark = f"{layer}: {description.layers[layer]}" if layer != said else ""
        said = layer
        query.table(f"step_{op.out.place}", results, keep, remark)
    return values[description.output.place]


def _same_columns(op: Operation, x: list[list[str]]) -> list[str]:
    """Return the columns of an operation that computes nothing."""
    match op:
        case program.Reshaped():
            return x[0]
        case program.Part():
            return x[0][op.start : op.stop]
        case program.Joined():
            return [name for one in x for name in one]
    return []


def _operation(query: Query, op: Operation, x: list[list[str]]) -> list[Term]:
    """Return the units that an operation gives."""
    units = [column(name) for name in x[0]]
    match op:
        case program.Affine(W=W, b=b) if len(op.out.shape) == 1:
            return [_affine(units, *one) for one in zip(W.T, b, strict=True)]
        case program.Scaling(factor=factor, shift=shift):
            factors, shifts = (np.resize(one, len(units)) for one in (factor, shift))
            return [
                of("{0} * {1} + {2}", unit, number(one), number(other))
                for unit, one, other in zip(units, factors, shifts, strict=True)
            ]
        case program.Normalisation():
            return _normalised(query, op, units)
        case program.Elementwise(formula=formula):
            return [spelled(formula, unit, query) for unit in units]
        case program.Added():
            return [of("{0} + {1}", *map(column, pair)) for pair in zip(*x, strict=True)]
        case program.Waves():
            return _waves(query, op, units)
        case program.Looked():
            return _looked(op, units)
    raise UsageError(
        f"{type(op).__name__} of pictures takes too many columns for SQL. Export to another "
        "format, such as .onnx."
    )


def _affine(units: list[Term], weights: Array, shift: np.floating) -> Term:
    # A weight alone would be a constant to SQLite, which compares each one with all the others.
    products = [
        needing(f"{unit.text} * COALESCE({literal(w)}, {unit.text})", unit)
        for unit, w in zip(units, weights, strict=True)
    ]
    return total([*products, number(shift)])


def _normalised(query: Query, op: program.Normalisation, units: list[Term]) -> list[Term]:
    count = number(float(len(units)))
    mean = query.held(of("{0} / {1}", total(units), count))
    away = [query.held(of("({0} - {1})", unit, mean)) for unit in units]
    squares = [query.multiply(one, one) for one in away]
    variance = of("{0} / {1}", total(squares), count)
    deviation = query.held(of("SQRT({0} + {1})", variance, number(op.epsilon)))
    return [
        of("{0} / {1} * {2} + {3}", one, deviation, number(gamma), number(beta))
        for one, gamma, beta in zip(away, op.gamma, op.beta, strict=True)
    ]


def _waves(query: Query, op: program.Waves, units: list[Term]) -> list[Term]:
    found = []
    for d, unit in enumerate(units):
        waves = [
            query.held(of("COS({0} * {1} + {2})", unit, number(w), number(b)))
            for w, b in zip(2 * np.pi * op.w1[d], op.b1[d], strict=True)
        ]
        found += [_affine(waves, *one) for one in zip(op.W2[d].T, op.b2[d], strict=True)]
    return found


def _looked(op: program.Looked, units: list[Term]) -> list[Term]:
    """Return the rows that codes name: each column's end where the next one's begin."""
    ends = [*op.first[1:].tolist(), len(op.E)]
    found = []
    for unit, first, end in zip(units, op.first.tolist(), ends, strict=True):
        for numbers in op.E[first:end].T:
            cases = " ".join(f"WHEN {code} THEN {literal(e)}" for code, e in enumerate(numbers))
            found.append(needing(f"CASE {unit.text} {cases} END", unit))
    return found

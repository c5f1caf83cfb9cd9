"""What goes into a graph of ONNX, and how it is prepared there, in float64."""

import numpy as np

from clearprop.errors import UsageError
from clearprop.exports.description import Inputs, NumberInputs, TableInputs
from clearprop.exports.onnx.graph import Graph, Port
from clearprop.exports.onnx.pictures import prepared_pictures
from clearprop.preprocessing.cells import CategoryCells, Cells, DateCells, NumberCells

OUTPUTS = ("label", "probabilities", "set", "value", "interval", "quantiles", "logits")
"""The names of all that may come out."""

INPUT = "input"
"""The name of what goes in, where it is no table."""

ROWS = "N"
"""The name of the axis of samples."""

_FURTHEST = 1e100  # from which on z / sqrt(1 + (z / 3)^2) is 3, and squares leave float64
_DAY = 86400.0


def input_names(inputs: Inputs) -> dict[str, str]:
    """Return the name of each column's input, by the column.

    It is the column's own, but for one that is empty, that is an output's, too, or that the
    runtime's interface can't take: such a one gets words behind it.
    """
    if not isinstance(inputs, TableInputs):
        return {}
    own = [cells.name for cells in inputs.columns]
    found: dict[str, str] = {}
    for name in own:
        called = name.replace("\0", "\\0")
        while called in ("", *OUTPUTS) or (called != name and called in own):
            called += " (column)"
        found[name] = called
    return found


def ports_of(inputs: Inputs, shape: tuple[int, ...]) -> list[Port]:
    """Return what goes in.

    Parameters
    ----------
    inputs : Inputs
    shape : tuple of int
        The shape of a prepared sample.
    """
    if isinstance(inputs, TableInputs):
        names = input_names(inputs)
        return [_column_port(names[cells.name], cells) for cells in inputs.columns]
    if isinstance(inputs, NumberInputs):
        said = "Numbers, as they were to train with."
        return [Port(INPUT, "float64", (ROWS, *shape), said)]
    size = (ROWS, "height", "width", *((3,) if inputs.channels == 3 else ()))
    said = f"Pictures of any one size: {'RGB' if inputs.channels == 3 else 'grey'}, 0 to 255."
    return [Port(INPUT, "uint8", size, said)]


def prepared(graph: Graph, inputs: Inputs, dtype: str) -> str:
    """Add the preparation, and return the samples as the network takes them."""
    if isinstance(inputs, TableInputs):
        return graph.cast(_prepared_rows(graph, inputs), dtype)
    if isinstance(inputs, NumberInputs):
        x = INPUT
        if inputs.mean.any():
            x = graph.add("Sub", x, graph.constant(inputs.mean))
        if (inputs.std != 1).any():
            x = graph.add("Div", x, graph.constant(inputs.std))
        return graph.cast(x, dtype)
    return prepared_pictures(graph, INPUT, inputs, dtype)


def require_text(text: str, what: str) -> None:
    """Refuse a text that no file of UTF-8 can hold.

    Raises
    ------
    UsageError
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{what} {text!r} holds half of a character, which no file can keep as text. Rename it "
            "in the data, and train again."
        ) from error


def _column_port(name: str, cells: Cells) -> Port:
    column = f"The column {cells.name!r}"
    match cells:
        case NumberCells(instead=instead):
            unit = f" in {cells.unit}" if cells.unit else ""
            gap = "none" if instead is None else "NaN where one is"
            said = f"{column}: numbers{unit}, {gap} missing."
            kind = "float64"
        case CategoryCells():
            said, kind = f'{column}: categories, "" where one is missing.', "str"
        case DateCells():
            said = f"{column}: dates as seconds since 1970, NaN where one is missing."
            kind = "float64"
    return Port(name, kind, (ROWS, 1), said)


def _prepared_rows(graph: Graph, inputs: TableInputs) -> str:
    """Add what columns do to their cells, all numbers at once, and set the results in order."""
    names = input_names(inputs)
    places, start = {}, 0
    for cells in inputs.columns:
        places[cells.name] = range(start, start + cells.width)
        start += cells.width
    parts: list[str] = []
    order: list[int] = []
    numbers = [cells for cells in inputs.columns if isinstance(cells, NumberCells)]
    for is_pressed in (False, True):
        some = [cells for cells in numbers if cells.is_pressed == is_pressed]
        if some:
            parts += _numbers(graph, some, names, is_pressed=is_pressed)
            order += [places[cells.name][0] for cells in some]
            order += [places[cells.name][1] for cells in some if cells.tells_gaps]
    for cells in inputs.columns:
        if isinstance(cells, CategoryCells):
            parts.append(_category(graph, cells, names[cells.name]))
        elif isinstance(cells, DateCells):
            parts.append(_date(graph, cells, names[cells.name]))
        else:
            continue
        order += places[cells.name]
    x = graph.add("Concat", *parts, axis=1)
    if order == sorted(order):
        return x
    return graph.add("Gather", x, graph.integers(*np.argsort(order).tolist()), axis=1)


def _numbers(
    graph: Graph, columns: list[NumberCells], names: dict[str, str], *, is_pressed: bool
) -> list[str]:
    """Add z = (x - centre) factor of columns side by side, and which of their cells are missing."""
    x = graph.add("Concat", *(names[cells.name] for cells in columns), axis=1)
    missing = graph.add("IsNaN", x)
    instead = [np.nan if cells.instead is None else cells.instead for cells in columns]
    filled = graph.add("Where", missing, graph.constant(np.array(instead)), x)
    moments = [(cells.centre, cells.factor) for cells in columns]
    z = _standardised(graph, filled, np.array(moments).T, is_pressed=is_pressed)
    gaps = [at for at, cells in enumerate(columns) if cells.tells_gaps]
    if not gaps:
        return [z]
    return [z, _gaps(graph, graph.add("Gather", missing, graph.integers(*gaps), axis=1))]


def _standardised(
    graph: Graph, x: str, moments: np.ndarray[tuple[int, int]], *, is_pressed: bool
) -> str:
    centre, factor = map(graph.constant, moments)
    z = graph.add("Mul", graph.add("Sub", x, centre), factor)
    if not is_pressed:
        return z
    far = graph.add("Max", z, graph.constant(-_FURTHEST))
    z = graph.add("Min", far, graph.constant(_FURTHEST))
    third = graph.add("Div", z, graph.constant(3.0))
    square = graph.add("Add", graph.constant(1.0), graph.add("Mul", third, third))
    return graph.add("Div", z, graph.add("Sqrt", square))


def _gaps(graph: Graph, missing: str) -> str:
    return graph.add("Where", missing, graph.constant(1.0), graph.constant(-1.0))


def _category(graph: Graph, cells: CategoryCells, name: str) -> str:
    """Add each category's row of a table; the first is that of a missing or unknown one."""
    for category in cells.categories:
        require_text(category, f"The category of {cells.name!r}")
    places = cells.places or {"": 0}
    place = graph.add(
        *("LabelEncoder", name),
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=0,
    )
    flat = graph.add("Reshape", place, graph.integers(-1))
    return graph.add("Gather", graph.constant(cells.rows), flat, axis=0)


def _date(graph: Graph, cells: DateCells, name: str) -> str:
    missing = graph.add("IsNaN", name)
    parts = _parts_of(graph, graph.add("Where", missing, graph.constant(0.0), name))
    every = graph.add("Concat", *parts[: len(cells.parts)], axis=1)
    moments = np.array([cells.centres, cells.factors])
    z = _standardised(graph, every, moments, is_pressed=cells.is_pressed)
    z = graph.add("Where", missing, graph.constant(0.0), z)
    return graph.add("Concat", z, _gaps(graph, missing), axis=1) if cells.tells_gaps else z


def _parts_of(graph: Graph, seconds: str) -> tuple[str, ...]:
    """Add days since 1970, year, month, weekday and hour.

    Years of the Gregorian calendar begin in March here, so that the leap day is the last one.
    Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), civil_from_days.
    """

    def number(value: float) -> str:
        return graph.constant(float(value))

    def times(x: str, factor: float) -> str:
        return graph.add("Mul", x, number(factor))

    def plus(x: str, shift: float) -> str:
        return graph.add("Add", x, number(shift))

    def whole(x: str, divisor: float) -> str:
        return graph.add("Floor", graph.add("Div", x, number(divisor)))

    def minus(x: str, other: str) -> str:
        return graph.add("Sub", x, other)

    day = whole(seconds, _DAY)
    within = minus(seconds, times(day, _DAY))
    since_monday = plus(day, 3)  # 1970 began on a Thursday
    weekday = minus(since_monday, times(whole(since_monday, 7), 7))
    from_0000 = plus(day, 719468)  # days since the 1st of March of the year 0
    era = whole(from_0000, 146097)
    of_era = minus(from_0000, times(era, 146097))
    leaps = graph.add("Add", minus(whole(of_era, 36524), whole(of_era, 1460)), of_era)
    year_of_era = whole(minus(leaps, whole(of_era, 146096)), 365)
    days_before = minus(
        graph.add("Add", times(year_of_era, 365), whole(year_of_era, 4)), whole(year_of_era, 100)
    )
    march_0 = whole(plus(times(minus(of_era, days_before), 5), 2), 153)
    is_next_year = graph.add("Greater", march_0, number(9.5))
    month = graph.add("Where", is_next_year, plus(march_0, -9), plus(march_0, 3))
    year = graph.add("Add", graph.add("Add", times(era, 400), year_of_era),
                     graph.add("Where", is_next_year, number(1), number(0)))  # fmt: skip
    days = graph.add("Div", seconds, number(_DAY))
    return days, year, month, weekday, graph.add("Div", within, number(3600))

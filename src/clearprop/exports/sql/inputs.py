"""The rows of a table in SQL, as the network takes them: numbers, categories and dates.

A date is read from its text, 2024-01-31 or 2024-01-31 12:34:56, which databases with a type of
dates and those without agree on; no two agree on how to take a date apart. SQLite would read a
number from any text: one that is no such date has no parts, and its row no answer.
"""

from clearprop.exports.description import TableInputs
from clearprop.exports.sql.query import (
    Query,
    Term,
    column,
    identifier,
    literal,
    needing,
    number,
    of,
    text_literal,
)
from clearprop.preprocessing.cells import CategoryCells, DateCells, NumberCells

_FURTHEST = 1e100  # from which on z / sqrt(1 + (z / 3)^2) is 3, and squares leave float64
_REMARK = """\
Your table's name belongs in the place of data, and what names its rows in that of
ROW_NUMBER() OVER ()."""


def prepared(query: Query, inputs: TableInputs) -> list[str]:
    """Make the first tables, and return the columns of what the network takes."""
    source = {}
    for at, cells in enumerate(inputs.columns):
        name = identifier(cells.name, "The column")
        kind = "DOUBLE PRECISION" if isinstance(cells, NumberCells) else "VARCHAR"
        source[f"c{at}"] = f"CAST({name} AS {kind})"
    query.start(source, "ROW_NUMBER() OVER ()", _REMARK)
    found: list[Term] = []
    for at, cells in enumerate(inputs.columns):
        cell = column(f"c{at}")
        match cells:
            case NumberCells():
                found += _number(query, cells, cell)
            case CategoryCells():
                found += _category(cells, cell)
            case DateCells():
                found += _date(query, cells, cell)
    results = {f"x0_{at}": term for at, term in enumerate(found)}
    query.table("prepared", results, (), "Numbers, categories and dates as the network takes them.")
    return list(results)


def _number(query: Query, cells: NumberCells, cell: Term) -> list[Term]:
    known = cell if cells.instead is None else of("COALESCE({0}, {1})", cell, number(cells.instead))
    z = _standardised(query, known, cells.centre, cells.factor, is_pressed=cells.is_pressed)
    return [z, _gap(cell)] if cells.tells_gaps else [z]


def _standardised(query: Query, x: Term, centre: float, factor: float, *, is_pressed: bool) -> Term:
    z = of("({0} - {1}) * {2}", x, number(centre), number(factor))
    if not is_pressed:
        return z
    z = query.held(query.between(z, -_FURTHEST, _FURTHEST))
    third = f"({z.text} / 3E0)"
    return needing(f"{z.text} / SQRT(1E0 + {third} * {third})", z)


def _gap(cell: Term) -> Term:
    return of("CASE WHEN {0} IS NULL THEN 1E0 ELSE -1E0 END", cell)


def _category(cells: CategoryCells, cell: Term) -> list[Term]:
    """Return the numbers of each category; the first row is that of one that is not known."""
    places = cells.places
    texts = [text_literal(text, f"The category of {cells.name!r}") for text in places]
    found = []
    for each in cells.rows.T.tolist():
        otherwise = each[0]
        cases = "".join(
            f" WHEN {text} THEN {literal(each[place])}"
            for text, place in zip(texts, places.values(), strict=True)
            if each[place] != otherwise
        )
        text = (
            f"CASE {cell.text}{cases} ELSE {literal(otherwise)} END"
            if cases
            else literal(otherwise)
        )
        found.append(needing(text, cell))
    return found


def _date(query: Query, cells: DateCells, cell: Term) -> list[Term]:
    found = []
    for part, *moments in zip(_parts_of(query, cell), cells.centres, cells.factors, strict=False):
        z = _standardised(query, part, *moments, is_pressed=cells.is_pressed)
        found.append(needing(f"CASE WHEN {cell.text} IS NULL THEN 0E0 ELSE {z.text} END", cell, z))
    return [*found, _gap(cell)] if cells.tells_gaps else found


def _parts_of(query: Query, cell: Term) -> tuple[Term, ...]:
    """Return days since 1970, year, month, weekday and hour.

    Years of the Gregorian calendar begin in March here, so that the leap day is the last one.
    Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), days_from_civil.
    """
    # What is missing at the end of a date without a time, or without seconds, is 0.
    text = f"CASE WHEN {cell.text} LIKE '____-__-__%' THEN {cell.text} || ' 00:00:00' END"
    date = query.held(needing(text, cell))

    def digits(first: int, count: int) -> Term:
        return query.held(of(f"CAST(SUBSTRING({{0}}, {first}, {count}) AS DOUBLE PRECISION)", date))

    year, month, day = digits(1, 4), digits(6, 2), digits(9, 2)
    hour = of("({0} + {1} / 60E0 + {2} / 3600E0)", digits(12, 2), digits(15, 2), digits(18, 2))
    hour = query.held(hour)
    y, m = year.text, month.text
    turned = f"({y} - CASE WHEN {m} < 3E0 THEN 1E0 ELSE 0E0 END)"
    of_year = f"({m} + CASE WHEN {m} < 3E0 THEN 9E0 ELSE -3E0 END)"
    from_march = query.held(needing(turned, year, month))
    f = from_march.text
    leaps = f"FLOOR({f} / 4E0) - FLOOR({f} / 100E0) + FLOOR({f} / 400E0)"
    before = f"365E0 * {f} + {leaps} + FLOOR((153E0 * {of_year} + 2E0) / 5E0)"
    since = query.held(needing(f"({before} + {day.text} - 719469E0)", from_march, month, day))
    s = since.text
    weekday = needing(f"({s} + 3E0 - 7E0 * FLOOR(({s} + 3E0) / 7E0))", since)
    return of("({0} + {1} / 24E0)", since, hour), year, month, weekday, hour

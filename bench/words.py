"""Numbers, written so that they fit into a table."""

_MARKS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def amount(value: float | None, unit: str) -> str:
    """Write seconds ("s") or bytes ("bytes") in a unit that suits their size; a dash for none."""
    if value is None:
        return "–"
    if unit == "bytes":
        return f"{short(value / 1e6)} MB"
    for factor, name in ((1.0, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{short(value * factor)} {name}"
    return f"{short(value * 1e6)} µs"


def short(number: float) -> str:
    """Write two digits at least, and no more than mean something."""
    if number >= 99.5:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 9.95 else f"{number:.2f}"


def mark(number: int) -> str:
    """Return the mark of a note, raised."""
    return str(number).translate(_MARKS)

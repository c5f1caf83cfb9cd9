"""Doubts about the cells of a column: what may be a mistake in it, each in one sentence."""

import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from clearprop.data.tables import numerals
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.table import Words, as_words, is_numeric, number_text
from clearprop.data.tables.understood import NO_DOUBT, STRANGERS, Doubt, UnderstoodColumn, some
from clearprop.errors import counted, listed

_SENTINELS = {-9.0, -99.99, -999.9, -999.99} | {
    sign * (10.0**digits - 1) for digits in range(2, 7) for sign in (-1, 1)
}
_FEWEST_OTHERS = 3  # different numbers, beside which another one is strange
_FEW_NUMBERS = 0.2  # the share of cells, below which numbers among words may be names
_LONGEST_AMOUNT = 40  # letters
_AMOUNT = re.compile(
    r"[+-]?\d[\d.,]* ?(?!(?:st|nd|rd|th)$)[^\W\d_]{1,3}"  # 2k, 900g, 1.2 t
    r"|[^\W\d_]{1,3}\. ?\d[\d.,]*"  # Rs. 5
    r"|\d{1,2}(,\d\d)+,\d{3}(\.\d+)?"  # 1,23,456
    r"|\d[\d.,]* ?(-|[±/] ?\d[\d.,]*)"  # 100-, 5±1, 1/2
    r"|[<>≤≥~≈]=? ?\d[\d.,]*"
)
_FIRST_DATE = 1800_01_01
_EPOCHS = [
    (unit, (946684800 * times, 2051222400 * times))  # the years 2000 to 2034
    for unit, times in (("seconds", 1), ("milliseconds", 1000))
]
_TOTALS = frozenset(
    {"total", "totals", "grand total", "sum", "sums", "overall", "gesamt", "gesamtsumme", "summe"}
    | {"insgesamt", "totaal", "total general", "suma", "somme", "total général", "totale", "soma"}
    | {"итого", "всего", "合计", "总计", "合計", "總計"}
)
_FEWEST_SUMMED = 3  # rows above a total, of which no chance makes the sums of two columns
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+")


def strangers(
    name: str,
    words: Words,
    strange: Sequence[int],
    counts: NDArray[np.int64],
    among: str = "numbers",
) -> Doubt:
    """Doubt texts among numbers or dates, which are taken for missing."""
    if not strange:
        return NO_DOUBT
    total = int(counts[list(strange)].sum())
    shown = ", ".join(
        f"{words.texts[at][:40]!r} (row {row_of(words, at)})" for at in list(strange)[:3]
    )
    return Doubt(
        f"{name}: {total:,} cell{'s are' if total > 1 else ' is'} no {among[:-1]}, {shown}, and "
        "taken for missing",
        f"strangers {words.texts[strange[0]]}",
        f"--category {typed(name)} takes the column as categories.",
    )


def among_words(
    found: UnderstoodColumn, words: Words, is_number: NDArray[np.bool_], markers: NDArray[np.bool_]
) -> Doubt:
    """Doubt words among which there are numbers, amounts, or marks of missing cells.

    Parameters
    ----------
    found : UnderstoodColumn
    words : Words
    is_number, markers : ndarray of bool
        Which of the `texts` are numbers, and which stand for missing among numbers.
    """
    name, counts = found.name, words.counts()
    if found.kind in ("empty", "constant"):
        return NO_DOUBT
    taken = "taken as categories" if found.is_used else f"left out (kind: {found.kind})"
    numbers, others = (int(counts[one].sum()) for one in (is_number, ~is_number & ~markers))
    if numbers > others or (
        is_number.sum() >= _FEWEST_OTHERS and numbers > _FEW_NUMBERS * (numbers + others)
    ):
        at = int(np.flatnonzero(~is_number & ~markers)[0])
        return Doubt(
            f"{name}: {counted(numbers, 'number')} and {counted(others, 'text')} such as "
            f"{words.texts[at][:40]!r} (row {row_of(words, at)}) are {taken}",
            advice=f"--number {typed(name)} takes them as numbers, and the texts as missing.",
            of_unused=True,
        )
    few = [at for at in some(range(len(counts))) if not markers[at]]
    if dates := _some_dates([words.texts[at] for at in few]):
        one, other = (
            f"{words.texts[at][:40]!r} (row {row_of(words, at)})" for at in (few[i] for i in dates)
        )
        return Doubt(
            f"{name}: dates such as {one} beside {other} are {taken}, as not all are written in "
            "one way",
            "dates",
            "write all as 2024-12-31.",
            of_unused=True,
        )
    amounts = [at for at in few if _AMOUNT.fullmatch(words.texts[at][:_LONGEST_AMOUNT])]
    if amounts and len(amounts) + is_number[few].sum() > (1 - STRANGERS) * len(few) > 2:
        at = amounts[0]
        return Doubt(
            f"{name}: cells such as {words.texts[at]!r} (row {row_of(words, at)}) are {taken}",
            "amounts",
            "if they are amounts, write them as plain numbers of one unit.",
            of_unused=True,
        )
    odd = [text for text in as_words(found.column).texts if numerals.is_marker(text)]
    if not odd or not found.is_used:
        return NO_DOUBT
    at = words.texts.index(odd[0])
    return Doubt(
        f"{name}: {odd[0]!r} ({counts[at]:,} cells, the first in row {row_of(words, at)}) is "
        "taken as a category of its own",
        f"marker {odd[0].lower()}",
        f"--missing {typed(odd[0])} takes it as missing.",
    )


def _some_dates(texts: Sequence[str]) -> tuple[int, int] | None:
    """Return the places of a date, and of a text that is not written so, if most are dates."""
    forms = [~np.isnat(numerals.read_dates(texts, form)) for form in numerals.DATE_FORMS]
    usual = max(forms, key=np.sum)
    if 2 * np.any(forms, axis=0).sum() <= len(texts) or usual.all():
        return None
    return int(np.argmax(usual)), int(np.argmin(usual))


def numbers_as_dates(name: str, column: NDArray[np.float64]) -> Doubt:
    """Doubt whole numbers that may be days, or seconds or milliseconds since 1970."""
    low, high = float(np.nanmin(column)), float(np.nanmax(column))
    if low < _FIRST_DATE or not (low.is_integer() and high.is_integer()):
        return NO_DOUBT
    unit = next((unit for unit, since in _EPOCHS if since[0] <= low and high < since[1]), "")
    days = numerals.days_of(column)
    if days is None and (not unit or not np.array_equal(np.trunc(column), column, equal_nan=True)):
        return NO_DOUBT
    why = "days" if days is not None else f"{unit} since 1970"
    return Doubt(
        f"{name}: {number_text(low)} to {number_text(high)} may be dates ({why}), and are taken as "
        "numbers",
        f"dates {why}",
        "write them as 2024-12-31 if they are.",
    )


def currencies(name: str, texts: Sequence[str]) -> Doubt:
    """Doubt amounts of different currencies, of which a column of numbers knows nothing."""
    found = sorted({*map(numerals.currency_of, some(texts))} - {""})
    if len(found) < 2:
        return NO_DOUBT
    says = f"{name}: amounts of several currencies, {listed(found, 4)}, are taken as plain numbers"
    return Doubt(says, "currencies")


def sentinel(name: str, present: NDArray[np.float64]) -> Doubt:
    """Doubt an extreme number that comes again and is far from all others: -999 for missing.

    Far is more than all others are apart, and thrice as much where they are few that come often,
    as codes are. For numbers that programs write for missing, half of that will do, or being the
    only one below zero; so it will, more than a step below the others, for other whole numbers.
    """
    for value in (float(present.min()), float(present.max())):
        if not value.is_integer() and value not in _SENTINELS:
            continue
        others = present[present != value]
        many = len(present) - len(others)
        if many < 2 or len(others) < 2:
            continue
        if _is_apart(value, many, others):
            text = number_text(value)
            return Doubt(
                f"{name}: {many:,} cells are {text}, unlike the others "
                f"({others.min():g} to {others.max():g})",
                f"sentinel {text}",
                f"--missing={text} if they stand for missing.",
            )
    return NO_DOUBT


def _is_apart(value: float, many: int, others: NDArray[np.float64]) -> bool:
    low, high = float(others.min()), float(others.max())
    gap, spread = max(low - value, value - high), high - low
    below = value < 0 <= low
    if value in _SENTINELS:
        return below or gap > spread / 2
    below &= gap > 1
    if not (below or gap > spread) or many > len(others):
        return False
    distinct = len(np.unique(others))
    return distinct >= _FEWEST_OTHERS and (below or distinct >= many or gap > 3 * spread)


def emptied(name: str, cells: Cells, missing: Collection[str]) -> Doubt:
    """Doubt a column of which nothing is left once some texts, in small letters, are missing."""
    texts = cells.others if isinstance(cells, Numbers) else as_words(cells).texts
    gone = {text for text in texts if text.lower() in missing}
    if isinstance(cells, Numbers):
        gone |= {text for text in missing if numerals.read_number(text) in cells.values}
    if not gone:
        return NO_DOUBT
    return Doubt(f"{name}: no cell is left, as --missing names {listed(sorted(gone), 3)}")


def total_row(found: Sequence[UnderstoodColumn]) -> list[str]:
    """Doubt a last row that sums up those above it: a cell says so, or the numbers do."""
    rows = len(found[0].column)
    text, sums = "", []
    for one in found:
        column = one.column
        if not isinstance(column, Words):
            if is_numeric(column) and _is_sum(column):
                sums.append(one.name)
        elif np.sum(column.codes == column.codes[-1]) == 1:
            cell = column[-1:].tolist()[0]
            text = cell if cell.lower().rstrip(" :") in _TOTALS else text
    if not text and (rows <= _FEWEST_SUMMED or len(sums) < 2):
        return []
    why = f"says {text!r}" if text else f"holds the sums of {listed(sums, 3)}"
    return [
        f"The last row ({rows:,}) looks like a total, as it {why}; it is taken as a sample: delete "
        "it from the file if it is none."
    ]


def _is_sum(column: NDArray[np.float64]) -> bool:
    """Whether the last number, and not 0, is the sum of those above it."""
    last, above = column[-1], column[:-1][~np.isnan(column[:-1])]
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # a sum beyond the largest number is no total
        total = above.sum()
    return bool(last) and len(above) > 1 and bool(np.isclose(total, last, rtol=1e-9))


def may_group_thousands(cells: Numbers) -> bool:
    """Whether all fractions are of thousandths, and the whole numbers stay below a thousand."""
    if not cells.has_points:
        return False
    values = cells.values[~np.isnan(cells.values)]
    whole = values == np.trunc(values)
    thousands = values[~whole] * 1000
    return bool(
        whole.any()
        and len(thousands)
        and np.abs(values[~whole]).min() > 1
        and np.abs(values).max() < 1000
        and np.allclose(thousands, np.round(thousands), rtol=0, atol=1e-6)
    )


def grouped(name: str, words: Words) -> Doubt:
    """Doubt 1.613 beside 379: the point may be one between thousands."""
    pointed = [text for text in words.texts if "." in text]
    if not all(_THOUSANDS.fullmatch(text) for text in pointed):
        return NO_DOUBT
    return Doubt(
        f"{name}: {pointed[0]!r} (row {row_of(words, words.texts.index(pointed[0]))}) is read as "
        "a fraction, though others are whole",
        "thousands",
        "if the point groups thousands, say so with --decimal ,",
    )


def row_of(words: Words, place: int) -> int:
    """Return the first row of a text, counted from 1."""
    return int(np.argmax(words.codes == place)) + 1


def typed(text: str) -> str:
    """Write a name or a cell as it is typed behind an option."""
    return text if re.fullmatch(r"[\w.?*/-]+", text) and text[0] != "-" else f"{text!r}"

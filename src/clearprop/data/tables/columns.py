"""What each column of a table is, in one look: found out from its cells, and said."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clearprop.core.printable import readable
from clearprop.data.tables import doubts, numerals
from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.table import (
    Column,
    Words,
    as_numbers,
    as_words,
    is_date,
    is_missing,
    number_text,
)
from clearprop.data.tables.understood import (
    NO_DOUBT,
    STRANGERS,
    Doubt,
    Kind,
    Spelling,
    UnderstoodColumn,
    some,
    with_unit,
)

MOST_CATEGORIES = 100
"""Categories of a column that get an input each: the most frequent ones."""

_FEW_ROWS = 20  # below which cells may well all differ without being names of rows
_ALL_DIFFER = 0.95
_WORDS_OF_TEXT = 5
_LETTERS_OF_TEXT = 50
_YES_NO = [
    {"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"on", "off"},
    {"ja", "nein"}, {"oui", "non"}, {"si", "no"}, {"sí", "no"}, {"sim", "não"}, {"да", "нет"},
]  # fmt: skip
_DIGITS_OF_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$")
_NAME_OF_ROWS = re.compile(
    r"(?i:(.*[^a-z])?(id|uuid|guid|index|idx|rownum|rowid|row.?names?)|unnamed.*|id[^a-z].*)"
    r"|.*[a-z]I[dD]"
)


def understand(
    name: str, cells: Cells, spelling: Spelling, as_written: Words | None
) -> UnderstoodColumn:
    """Find out what a column is.

    Parameters
    ----------
    name : str
    cells : Numbers, Words or ndarray of datetime64[s], N rows
    spelling : Spelling
    as_written : Words or None
        The column with every cell as it is written, where it `needs_words`.
    """
    if isinstance(cells, np.ndarray):
        return _as_date(name, cells, "year-month-day")
    if isinstance(cells, Words):
        return _of_words(name, cells, spelling)
    if as_written is not None and numerals.lose_digits(as_written.texts):
        markers = [spelling.is_missing(text) for text in as_written.texts]
        return _as_category(name, _without(as_written, markers))
    if as_written is not None and _are_none(cells, spelling):
        return _of_words(name, as_written, spelling)
    found = _of_numbers(name, cells, spelling)
    if as_written is not None and doubts.may_group_thousands(cells) and not found.doubt.says:
        return replace(found, doubt=doubts.grouped(name, as_written))
    return found


def needs_words(cells: Numbers, spelling: Spelling) -> bool:
    """Whether a column can't be understood without its cells as they are written."""
    return _are_none(cells, spelling) or doubts.may_group_thousands(cells) or cells.is_long


def of_column(name: str, column: Column) -> UnderstoodColumn:
    """Describe a column that nobody has to find out about."""
    if isinstance(column, Words):
        found = _as_category(name, column)
    else:
        found = _as_date(name, column, "date") if is_date(column) else _as_number(name, column)
    return replace(found, is_used=True, doubt=NO_DOUBT)


def as_number(name: str, cells: Cells, spelling: Spelling) -> UnderstoodColumn:
    """Take a column for numbers, and what is none for missing."""
    if isinstance(cells, Numbers):
        if not cells.others and not spelling.missing:
            return _as_number(name, cells.values)
        column, others = cells.values, cells.others_as_words()
    else:
        column, others = np.full(len(cells), np.nan), as_words(cells)
    unit = spelling.unit(others)
    texts = [text.removesuffix(unit).rstrip() for text in others.texts]
    values, cells_of = spelling.numbers(texts), others.counts()
    times = np.array([":" in text for text in texts], dtype=bool) & ~np.isnan(values)
    present = np.sum(~np.isnan(column)) + cells_of[~np.isnan(values)].sum()
    as_hours = 2 * cells_of[times].sum() > present
    if not as_hours:
        values[times] = np.nan  # 12:30 among other numbers is none
    read = np.append(values, np.nan)[others.codes]
    column = np.where(others.codes >= 0, read, column)
    column[np.isin(column, [numerals.read_number(text) for text in spelling.missing])] = np.nan
    unread = np.isnan(read) & (others.codes >= 0)
    counts = np.bincount(others.codes[unread], minlength=len(texts))
    strange = [at for at in np.argsort(-counts, kind="stable").tolist() if counts[at]]
    strange = [at for at in strange if not spelling.is_missing(texts[at])]
    doubt = doubts.strangers(name, others, strange, counts)
    found = _as_number(name, column, doubt if doubt.says else doubts.currencies(name, texts))
    markers = tuple(text for text in others.texts if text and spelling.is_missing(text))
    found = replace(found, markers=markers)
    if unit and found.is_used:
        found = replace(found, content=f"{found.content} {unit}")
    if found.is_used and as_hours:
        found = replace(found, remark=f"hours, {found.remark}")
    return with_unit(found, others, unit, as_hours=as_hours)


def as_category(name: str, words: Words, spelling: Spelling) -> UnderstoodColumn:
    """Take a column for categories, each cell as it is written."""
    missing = [spelling.is_missing(text, among_words=True) for text in words.texts]
    markers = tuple(text for text, gone in zip(words.texts, missing, strict=True) if gone)
    found = replace(_as_category(name, _without(words, missing)), markers=markers)
    if numerals.NULL not in words.texts:
        return found
    doubt = Doubt(
        f"{name}: {numerals.NULL} is taken for missing, as databases write it", "database"
    )
    return replace(found, doubt=doubt)


def as_date(
    name: str, words: Words, spelling: Spelling, most: float = STRANGERS
) -> UnderstoodColumn | None:
    """Take a column for dates; None where more than a share of the cells are none."""
    markers = np.array([spelling.is_missing(text) for text in words.texts], dtype=bool)
    counts = words.counts()
    texts = [text for text, marker in zip(words.texts, markers, strict=True) if not marker]
    if not texts:
        return None
    forms = numerals.date_forms_of(some(texts))
    if not forms:
        return None
    dates = np.full(len(words.texts) + 1, np.datetime64("NaT"), "datetime64[s]")
    tried = {form: numerals.read_dates(texts, form) for form in forms}
    told = spelling.day_first is not None
    day_first = spelling.day_first if told else spelling.decimal == ","
    forms.sort(key=lambda form: form.startswith("day") != day_first)
    best = max(forms, key=lambda form: int(np.sum(~np.isnat(tried[form]))))
    dates[:-1][~markers] = tried[best]
    unread = np.isnat(dates[:-1]) & ~markers
    if counts[unread].sum() > most * counts[~markers].sum():
        return None
    strange = np.flatnonzero(unread).tolist()
    doubt = doubts.strangers(name, words, strange, counts, "dates")
    unread_by = {form: int(np.isnat(tried[form]).sum()) for form in forms}
    ties = [best, *(form for form in forms if form != best and unread_by[form] == unread_by[best])]
    if not doubt.says and len(ties) > 1 and not told:
        doubt = Doubt(
            f"{name}: dates such as {texts[0]!r} are read as {best}; they could be {ties[1]} "
            "as well, as no day is above 12",
            f"{best} or {ties[1]}",
        )
    return _as_date(name, dates[words.codes], best, doubt)


def as_known_date(name: str, words: Words, spelling: Spelling) -> UnderstoodColumn | None:
    """Take a column that must be one of dates for it, 20240131 too; None where no cell is one."""
    texts = tuple(_DIGITS_OF_DATE.sub(r"\1-\2-\3", text) for text in words.texts)
    return as_date(name, Words(texts, words.codes), spelling, most=1.0)


def _are_none(cells: Numbers, spelling: Spelling) -> bool:
    """Whether what began with numbers is something else: codes, other signs, too much text."""
    if cells.is_code or not spelling.is_plain(cells):
        return True
    present = int(np.sum(~np.isnan(cells.values)))
    strange = sum(
        len(rows)
        for text, rows in cells.others.items()
        if not spelling.is_missing(text) and np.isnan(spelling.numbers([text])[0])
    )
    return strange > STRANGERS * (present + strange)


def _of_numbers(name: str, cells: Numbers, spelling: Spelling) -> UnderstoodColumn:
    found = as_number(name, cells, spelling)
    column = as_numbers(found.column, name)
    if "dat" in name.lower() and (days := numerals.days_of(column)) is not None:
        return _as_date(name, days, "yearmonthday")
    if found.kind != "number" or found.doubt.says:
        return found
    return replace(found, doubt=doubts.numbers_as_dates(name, column))


def _of_words(name: str, words: Words, spelling: Spelling) -> UnderstoodColumn:
    counts = words.counts()
    markers = np.array([spelling.is_missing(text) for text in words.texts], dtype=bool)
    texts = [text for text, marker in zip(words.texts, markers, strict=True) if not marker]
    few = some(texts)
    if spelling.unit(words):
        return as_number(name, words, spelling)
    is_number = np.zeros(len(words.texts), dtype=bool)
    if (
        few
        and np.mean(~np.isnan(spelling.numbers(few))) > 0.3
        and not any(map(numerals.is_code, few))
    ):
        is_number[~markers] = ~np.isnan(spelling.numbers(texts))
        if counts[is_number].sum() >= (1 - STRANGERS) * max(counts[~markers].sum(), 1):
            return as_number(name, words, spelling)
    found = as_date(name, words, spelling)
    if found is not None:
        return found
    found = as_category(name, words, spelling)
    doubt = doubts.among_words(found, words, is_number, markers)
    return replace(found, doubt=doubt) if doubt.says else found


def _as_number(name: str, column: NDArray[np.float64], doubt: Doubt = NO_DOUBT) -> UnderstoodColumn:
    present = column[~np.isnan(column)]
    missing = len(column) - len(present)
    if len(present) == 0:
        return _empty(name, column, doubt)
    low, high = float(present.min()), float(present.max())
    found = UnderstoodColumn(
        name,
        "number",
        missing,
        f"{readable(low, 6)} to {readable(high, 6)}",
        "standardised" + (", the median where missing" if missing else ""),
        doubt if doubt.says else doubts.sentinel(name, present),
        column=column,
    )
    if low == high:
        return _left_out(found, "constant", "every cell is the same", number_text(low))
    if len(present) >= _FEW_ROWS and not missing and _is_whole(present):
        counts_on = np.array_equal(present, present[0] + np.arange(len(present)))
        if counts_on and (present[0] in (0, 1) or _NAME_OF_ROWS.fullmatch(name)):
            return _left_out(found, "identifier", "counts the rows")
        distinct = len(np.unique(present))
        if _NAME_OF_ROWS.fullmatch(name) and (
            distinct == len(present) or distinct > MOST_CATEGORIES
        ):
            return _left_out(found, "identifier", f"{distinct:,} different, by its name an id")
    return found


def _as_category(name: str, words: Words) -> UnderstoodColumn:
    counts = words.counts()
    kept = np.flatnonzero(counts)
    if len(kept) == 0:
        return _empty(name, words)
    missing, present, distinct = int(is_missing(words).sum()), int(counts.sum()), len(kept)
    texts = [words.texts[at] for at in kept[np.argsort(-counts[kept], kind="stable")][:4].tolist()]
    content = f"{distinct:,} categories: {', '.join(text[:24] for text in texts)}"
    content += ", ..." if distinct > len(texts) else ""
    remark = f"{min(distinct, MOST_CATEGORIES)} inputs, one a category"
    if distinct > MOST_CATEGORIES:
        remark = f"{MOST_CATEGORIES} inputs, for the most frequent categories"
    found = UnderstoodColumn(name, "category", missing, content, remark, column=words)
    if distinct == 1:
        return _left_out(found, "constant", "every cell is the same", texts[0][:40])
    if {text.lower() for text in texts} in _YES_NO and distinct == 2:
        return replace(found, kind="yes/no", content=", ".join(texts))
    example = f"such as {texts[0][:40]!r}"
    if present >= _FEW_ROWS and distinct > present / 2 and _is_prose(words.texts):
        return _left_out(found, "text", "free text is not read", example)
    if present >= _FEW_ROWS and distinct > _ALL_DIFFER * present:
        return _left_out(
            found, "identifier", f"{distinct:,} different in {present:,} rows", example
        )
    if _NAME_OF_ROWS.fullmatch(name) and distinct > MOST_CATEGORIES:
        return _left_out(found, "identifier", f"{distinct:,} different, by its name an id", example)
    return found


def _as_date(
    name: str, dates: NDArray[np.datetime64], form: str, doubt: Doubt = NO_DOUBT
) -> UnderstoodColumn:
    present = dates[~np.isnat(dates)]
    if len(present) == 0:
        return _empty(name, dates, doubt)
    first, last = (
        str(when).replace("T", " ").removesuffix(" 00:00:00")
        for when in (present.min(), present.max())
    )
    found = UnderstoodColumn(
        name,
        "date",
        len(dates) - len(present),
        f"{first} to {last} ({form})",
        "days, year, month, weekday"
        + (", hour" if np.any(present.astype("M8[D]") != present) else ""),
        doubt,
        date_form=form,
        column=dates,
    )
    return _left_out(found, "constant", "every cell is the same", first) if first == last else found


def _empty(name: str, column: Column, doubt: Doubt = NO_DOUBT) -> UnderstoodColumn:
    missing = len(column)
    return UnderstoodColumn(
        name, "empty", missing, "", "no cell is filled", doubt, is_used=False, column=column
    )


def _left_out(
    found: UnderstoodColumn, kind: Kind, why: str, content: str | None = None
) -> UnderstoodColumn:
    return replace(
        found,
        kind=kind,
        remark=why,
        is_used=False,
        content=found.content if content is None else content,
    )


def _without(words: Words, missing: Sequence[bool]) -> Words:
    if not any(missing):
        return words
    kept = [text for text, gone in zip(words.texts, missing, strict=True) if not gone]
    places = np.full(len(words.texts) + 1, -1, np.int32)
    places[:-1][~np.array(missing)] = np.arange(len(kept), dtype=np.int32)
    return Words(tuple(kept), places[words.codes])


def _is_prose(texts: Sequence[str]) -> bool:
    few = some(texts)
    words = float(np.median([len(text.split()) for text in few]))
    return words >= _WORDS_OF_TEXT or float(np.median([*map(len, few)])) >= _LETTERS_OF_TEXT


def _is_whole(numbers: NDArray[np.float64]) -> bool:
    return bool(np.array_equal(numbers, np.trunc(numbers), equal_nan=True))

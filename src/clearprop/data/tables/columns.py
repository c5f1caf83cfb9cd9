"""What each column of a table is, in one look: found out from its cells, and said."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clearprop.data.tables.cells import Cells, Numbers
from clearprop.data.tables.numerals import (
    date_forms_of,
    is_code,
    is_marker,
    lose_digits,
    read_dates,
    read_number,
)
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
    SAMPLE,
    STRANGERS,
    Doubt,
    Kind,
    Spelling,
    UnderstoodColumn,
    some,
    with_unit,
)
from clearprop.errors import counted

MOST_CATEGORIES = 100
"""Categories of a column that get an input each: the most frequent ones."""

_FEW_ROWS = 20  # below which cells may well all differ without being names of rows
_ALL_DIFFER = 0.95
_WORDS_OF_TEXT = 5
_LETTERS_OF_TEXT = 50
_SENTINELS = {-9.0, -99.99, -999.9, -999.99} | {
    sign * (10.0**digits - 1) for digits in range(2, 7) for sign in (-1, 1)
}
_YES_NO = [
    {"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"on", "off"},
    {"ja", "nein"}, {"oui", "non"}, {"si", "no"}, {"sí", "no"}, {"sim", "não"}, {"да", "нет"},
]  # fmt: skip
_DIGITS_OF_DATE = re.compile(r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+")
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
    if as_written is not None and lose_digits(as_written.texts):
        markers = [spelling.is_missing(text) for text in as_written.texts]
        return _as_category(name, _without(as_written, markers))
    if as_written is not None and _are_none(cells, spelling):
        return _of_words(name, as_written, spelling)
    found = _of_numbers(name, cells, spelling)
    if as_written is not None and _may_group_thousands(cells) and not found.doubt.says:
        return replace(found, doubt=_grouped(name, as_written))
    return found


def needs_words(cells: Numbers, spelling: Spelling) -> bool:
    """Whether a column can't be understood without its cells as they are written."""
    return _are_none(cells, spelling) or _may_group_thousands(cells) or cells.is_long


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
    read = np.append(spelling.numbers(texts), np.nan)[others.codes]
    column = np.where(others.codes >= 0, read, column)
    column[np.isin(column, [read_number(text) for text in spelling.missing])] = np.nan
    unread = np.isnan(read) & (others.codes >= 0)
    counts = np.bincount(others.codes[unread], minlength=len(texts))
    strange = [at for at in np.argsort(-counts, kind="stable").tolist() if counts[at]]
    strange = [at for at in strange if not spelling.is_missing(texts[at])]
    found = _as_number(name, column, _strangers(name, others, strange, counts))
    if unit and found.is_used:
        found = replace(found, content=f"{found.content} {unit}")
    if found.is_used and any(":" in text for text in texts[:SAMPLE]):
        found = replace(found, remark=f"hours, {found.remark}")
    return with_unit(found, others, unit)


def as_category(name: str, words: Words, spelling: Spelling) -> UnderstoodColumn:
    """Take a column for categories, each cell as it is written."""
    words = _without(words, [spelling.is_missing(text, among_words=True) for text in words.texts])
    return _as_category(name, words)


def as_date(
    name: str, words: Words, spelling: Spelling, most: float = STRANGERS
) -> UnderstoodColumn | None:
    """Take a column for dates; None where more than a share of the cells are none."""
    markers = np.array([spelling.is_missing(text) for text in words.texts], dtype=bool)
    counts = words.counts()
    texts = [text for text, marker in zip(words.texts, markers, strict=True) if not marker]
    if not texts:
        return None
    forms = date_forms_of(some(texts))
    if not forms:
        return None
    dates = np.full(len(words.texts) + 1, np.datetime64("NaT"), "datetime64[s]")
    tried = {form: read_dates(texts, form) for form in forms}
    told = spelling.day_first is not None
    day_first = spelling.day_first if told else spelling.decimal == ","
    forms.sort(key=lambda form: form.startswith("day") != day_first)
    best = max(forms, key=lambda form: int(np.sum(~np.isnat(tried[form]))))
    dates[:-1][~markers] = tried[best]
    unread = np.isnat(dates[:-1]) & ~markers
    if counts[unread].sum() > most * counts[~markers].sum():
        return None
    strange = np.flatnonzero(unread).tolist()
    doubt = _strangers(name, words, strange, counts, "dates")
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
    days = _as_days(as_numbers(found.column, name)) if "dat" in name.lower() else None
    return found if days is None else _as_date(name, days, "yearmonthday")


def _of_words(name: str, words: Words, spelling: Spelling) -> UnderstoodColumn:
    counts = words.counts()
    markers = np.array([spelling.is_missing(text) for text in words.texts], dtype=bool)
    texts = [text for text, marker in zip(words.texts, markers, strict=True) if not marker]
    few = some(texts)
    if spelling.unit(words):
        return as_number(name, words, spelling)
    numbers = ~np.isnan(spelling.numbers(few))
    doubt = NO_DOUBT
    if few and numbers.mean() > 0.3:
        is_number = np.zeros(len(words.texts), dtype=bool)
        is_number[~markers] = ~np.isnan(spelling.numbers(texts))
        share = counts[is_number].sum() / max(counts[~markers].sum(), 1)
        codes = any(map(is_code, few))
        if share >= 1 - STRANGERS and not codes:
            return as_number(name, words, spelling)
        if not codes and share > 0.5:
            at = int(np.flatnonzero(~is_number & ~markers)[0])
            doubt = Doubt(
                f"{name}: {counted(int(counts[is_number].sum()), 'number')} and "
                f"{counted(int(counts[~is_number & ~markers].sum()), 'text')} such as "
                f"{words.texts[at][:40]!r} (row {_row_of(words, at)}) are taken as categories",
                advice=f"--number {_typed(name)} takes them as numbers, and the texts as missing.",
            )
    found = as_date(name, words, spelling)
    if found is not None:
        return found
    found = as_category(name, words, spelling)
    odd = [text for text in as_words(found.column).texts if is_marker(text)]
    if not doubt.says and odd and found.is_used:
        at = words.texts.index(odd[0])
        doubt = Doubt(
            f"{name}: {odd[0]!r} ({counts[at]:,} cells, the first in row {_row_of(words, at)}) is "
            "taken as a category of its own",
            f"marker {odd[0].lower()}",
            f"--missing {_typed(odd[0])} takes it as missing.",
        )
    return replace(found, doubt=doubt)


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
        f"{low:g} to {high:g}",
        "standardised" + (", the median where missing" if missing else ""),
        doubt if doubt.says else _sentinel(name, present),
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


def _strangers(
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
        f"{words.texts[at][:40]!r} (row {_row_of(words, at)})" for at in list(strange)[:3]
    )
    return Doubt(
        f"{name}: {total:,} cell{'s are' if total > 1 else ' is'} no {among[:-1]}, {shown}, and "
        "taken for missing",
        f"strangers {words.texts[strange[0]]}",
        f"--category {_typed(name)} takes the column as categories.",
    )


def _sentinel(name: str, present: NDArray[np.float64]) -> Doubt:
    """Doubt numbers that programs write for missing: -999, far from all others."""
    for value in (float(present.min()), float(present.max())):
        if value in _SENTINELS:
            others = present[present != value]
            if len(others) > 1 and np.sum(present == value) > 1:
                spread = float(others.max() - others.min())
                alone = value < 0 <= others.min()  # the only one below zero
                if alone or np.abs(others - value).min() > spread / 2:
                    text, many = number_text(value), int(np.sum(present == value))
                    return Doubt(
                        f"{name}: {many:,} cells are {text}, unlike the others "
                        f"({others.min():g} to {others.max():g})",
                        f"sentinel {text}",
                        f"--missing={text} if they stand for missing.",
                    )
    return NO_DOUBT


def _may_group_thousands(cells: Numbers) -> bool:
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


def _grouped(name: str, words: Words) -> Doubt:
    """Doubt 1.613 beside 379: the point may be one between thousands."""
    pointed = [text for text in words.texts if "." in text]
    if not all(_THOUSANDS.fullmatch(text) for text in pointed):
        return NO_DOUBT
    return Doubt(
        f"{name}: {pointed[0]!r} (row {_row_of(words, words.texts.index(pointed[0]))}) is read as "
        "a fraction, though others are whole",
        "thousands",
        "if the point groups thousands, say so with --decimal ,",
    )


def _as_days(column: NDArray[np.float64]) -> NDArray[np.datetime64] | None:
    """Read whole numbers such as 20240131 as dates; None where one is none."""
    present = column[~np.isnan(column)]
    if not len(present) or present.min() < 1800_01_01 or present.max() > 2200_12_31:
        return None
    distinct, places = np.unique(present, return_inverse=True)
    texts = [
        f"{int(value) // 10000}-{int(value) // 100 % 100:02}-{int(value) % 100:02}"
        for value in distinct.tolist()
    ]
    read = read_dates(texts, "year-month-day")
    if np.isnat(read).any() or not _is_whole(present):
        return None
    dates = np.full(len(column), np.datetime64("NaT"), "datetime64[s]")
    dates[~np.isnan(column)] = read[places]
    return dates


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


def _row_of(words: Words, place: int) -> int:
    return int(np.argmax(words.codes == place)) + 1


def _typed(text: str) -> str:
    return text if re.fullmatch(r"[\w.?*/-]+", text) and text[0] != "-" else f"{text!r}"

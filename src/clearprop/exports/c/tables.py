"""Rows of a table as a struct of C, and its cells as the numbers that the network takes."""

from collections.abc import Iterable
from typing import Final

import numpy as np

from clearprop.exports.c import text as c_text
from clearprop.exports.c.memory import Place
from clearprop.exports.c.source import Source, loop
from clearprop.exports.description import TableInputs
from clearprop.preprocessing.cells import CategoryCells, Cells, DateCells, NumberCells

CELL_FUNCTIONS: Final = {
    "number": """
/* Write z = (cell - centre) factor, with `instead` for a missing cell; 0 if it is not finite. */
static int standardised(double cell, double instead, double centre, double factor, float *x)
{
    const double z = ((isnan(cell) ? instead : cell) - centre) * factor;
    *x = fabs(z) <= (double)FLT_MAX ? (float)z : 0.0f;
    return fabs(z) <= (double)FLT_MAX;
}""",
    "pressed number": """
/* The same of z smoothly pressed within -3 and 3. */
static int pressed(double cell, double instead, double centre, double factor, float *x)
{
    const double z = ((isnan(cell) ? instead : cell) - centre) * factor;
    const double within = z / hypot(1.0, z / 3.0);
    *x = fabs(within) <= (double)FLT_MAX ? (float)within : 0.0f;
    return fabs(within) <= (double)FLT_MAX;
}""",
    "category": """
/* The place of a text among the categories, counted from 1; 0 where it is missing or unknown. */
static int category(const char *text, const char *const *categories, int count)
{
    for (int i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, categories[i]) == 0) {
            return i + 1;
        }
    }
    return 0;
}""",
    "date": """
/* Days since 1970 with their fraction, year, month, weekday (Monday is 0), and hour with fraction.
   Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days. */
static void date_parts(double seconds, double parts[5])
{
    const int32_t days = (int32_t)floor(seconds / 86400.0);
    const double rest = seconds - 86400.0 * days;
    const int32_t shifted = days + 719468; /* the days since March 1st of the year 0 */
    const int32_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int32_t of_era = shifted - era * 146097;
    const int32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int32_t month = (5 * of_year + 2) / 153; /* March is 0 */
    parts[0] = days + rest / 86400.0;
    parts[1] = year + era * 400 + (month >= 10);
    parts[2] = month < 10 ? month + 3 : month - 9;
    parts[3] = (days % 7 + 10) % 7; /* 1970 began on a Thursday */
    parts[4] = rest / 3600.0;
}

/* Write the parts of a date, each as (part - centre) factor, or 0 for those of a missing date;
   return 0 if it is too far away. */
static int date(double seconds, int parts, const double *centres, const double *factors,
    int is_pressed, float *x)
{
    double found[5];
    if (isnan(seconds)) {
        for (int i = 0; i < parts; i++) {
            x[i] = 0.0f;
        }
        return 1;
    }
    if (!(fabs(seconds) < 1e13)) { /* further than 300,000 years away */
        return 0;
    }
    date_parts(seconds, found);
    for (int i = 0; i < parts; i++) {
        const double z = (found[i] - centres[i]) * factors[i];
        if (!(fabs(z) <= (double)FLT_MAX)) {
            return 0;
        }
        x[i] = (float)(is_pressed ? z / hypot(1.0, z / 3.0) : z);
    }
    return 1;
}""",
}
"""The functions that cells need, in the order in which they stand."""


class TableCode:
    """Rows of a table: a struct with a member for each column."""

    refuses = (
        "the place of the first column, counted from 1, whose cell is missing and must not be, or "
        "is not finite"
    )
    defined = ""

    def __init__(self, inputs: TableInputs, name: str) -> None:
        self.columns = inputs.columns
        self.members = members_of(inputs.columns)
        self.parameter, self.argument = f"const {name}_row *row", "row"
        self.sizes = {"COLUMNS": (len(self.columns), "")}
        fields = []
        for member, cells in zip(self.members, self.columns, strict=True):
            kind = "const char *" if isinstance(cells, CategoryCells) else "double "
            field = f"    {kind}{member};"
            words = f'/* "{c_text.spoken(cells.name)}"{_asked(cells)} */'
            is_short = len(field) + 1 + len(words) <= c_text.WIDTH
            fields += [f"{field} {words}"] if is_short else [f"    {words}", field]
        self.declared = "\n".join(
            [
                "/* A row of the table. A missing number is NAN, of <math.h>; a missing text NULL.",
                "   A text that is none of the categories counts as missing. Texts are UTF-8. */",
                "typedef struct {",
                *fields,
                f"}} {name}_row;",
            ]
        )

    def prepare(self, source: Source, x: str) -> None:
        """Add the statements that write the inputs of each cell."""
        first = 0
        for number, (member, cells) in enumerate(zip(self.members, self.columns, strict=True), 1):
            at = Place(x, first)
            source.put(f'\n/* "{c_text.spoken(cells.name)}" */')
            if isinstance(cells, CategoryCells):
                self._category(cells, member, at, source)
            else:
                write = self._number if isinstance(cells, NumberCells) else self._date
                call = write(cells, member, at, source)  # type: ignore[arg-type] # as asked
                source.put(f"if (!{call}) {{\n    return {number};\n}}")
                if cells.tells_gaps:
                    gap = f"{x}[{first + cells.width - 1}]"
                    source.put(f"{gap} = isnan(row->{member}) ? 1.0f : -1.0f;")
            first += cells.width

    def _number(self, cells: NumberCells, member: str, at: Place, source: Source) -> str:
        source.needs.add("pressed number" if cells.is_pressed else "number")
        function = "pressed" if cells.is_pressed else "standardised"
        instead = "(double)NAN" if cells.instead is None else c_text.double(cells.instead)
        numbers = f"{instead}, {c_text.double(cells.centre)}, {c_text.double(cells.factor)}"
        return f"{function}(row->{member}, {numbers}, {at})"

    def _date(self, cells: DateCells, member: str, at: Place, source: Source) -> str:
        source.needs.add("date")
        centres, factors = (
            source.table("double", f"{member}_{name}", map(c_text.double, values))
            for name, values in (("centres", cells.centres), ("factors", cells.factors))
        )
        parts, is_pressed = len(cells.parts), int(cells.is_pressed)
        return f"date(row->{member}, {parts}, {centres}, {factors}, {is_pressed}, {at})"

    def _category(self, cells: CategoryCells, member: str, at: Place, source: Source) -> None:
        count, width = len(cells.categories), cells.width
        if width == 0:
            return
        place = "0"
        if count:
            source.needs.add("category")
            texts = source.texts(f"{member}_categories", cells.categories)
            place = f"category(row->{member}, {texts}, {count})"
        source.put(f"{{\n    const int place = {place};")
        if np.array_equal(cells.rows, np.eye(count + 1, count, -1)):
            ones = loop(count, f"{at.at('i')} = place == i + 1 ? 1.0f : 0.0f;")
            source.put("\n".join(f"    {line}" for line in ones.splitlines()))
        elif np.array_equal(cells.rows[:, 0], np.arange(count + 1)) and width == 1:
            source.put(f"    {at.array}[{at.first}] = (float)place;")
        else:
            rows = source.floats(f"{member}_rows", cells.rows, f"Column {cells.name!r}")
            source.put(f"    memcpy({at}, {rows} + place * {width}, {width} * sizeof(float));")
        source.put("}")


def members_of(columns: Iterable[Cells]) -> list[str]:
    """Return the names of a struct's members for columns."""
    names = c_text.Names()
    return [names.new(cells.name, "column") for cells in columns]


def _asked(cells: Cells) -> str:
    """Return the words for what a cell must be."""
    match cells:
        case DateCells():
            return ", a date: seconds since 1970"
        case NumberCells():
            return c_text.spoken(cells.asked.removeprefix("a number"))
        case _:
            return ""

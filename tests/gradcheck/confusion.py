"""The table of docs/diagnosis.md: what was planted against what was named.

Run this file to write it; `test_planted_mistakes.py` fails where it is out of date.
"""

from collections import Counter
from pathlib import Path

from catalogue.mistakes import MISTAKES
from catalogue.trial import outcome

from clearprop.gradcheck.diagnosis.mistakes import CAUSES

PAGE = Path(__file__).parents[2] / "docs/diagnosis.md"
START, END = "<!-- the catalogue -->\n", "<!-- end of the catalogue -->\n"
HEADER = """\
| planted | times | found | first wrong gradient right | named so | named otherwise |
|---|---|---|---|---|---|
"""


def table():
    """Return the table, a row for each cause in the order of the words."""
    rows = []
    for cause, known in CAUSES.items():
        planted = [one for one in MISTAKES if one.cause == cause]
        if planted:
            rows.append(_row(known.title, planted))
    return HEADER + "".join((*rows, _row("**all**", MISTAKES)))


def page_with(table):
    """Return the page with another table."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    _, after = rest.split(END)
    return f"{before}{START}{table}{END}{after}"


def _row(title, planted):
    outcomes = [(one, outcome(one)) for one in planted]
    others = Counter(
        CAUSES[seen.cause].title if seen.cause else "nothing"
        for one, seen in outcomes
        if seen.cause != one.cause
    )
    cells = (
        title,
        len(planted),
        sum(seen.found for _, seen in outcomes),
        sum(seen.first == one.first for one, seen in outcomes),
        sum(seen.cause == one.cause for one, seen in outcomes),
        ", ".join(f"{name} {count}" for name, count in sorted(others.items())),
    )
    return f"| {' | '.join(map(str, cells))} |\n"


if __name__ == "__main__":
    PAGE.write_text(page_with(table()), encoding="utf-8")

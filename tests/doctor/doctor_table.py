"""The tables of docs/doctor.md; run as a script, this writes them anew."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from healthy_trainings import HEALTHY
from planted_illnesses import PLANTED

from clearprop.doctor import ILLNESSES, Examination

PAGE = Path(__file__).parents[2] / "docs/doctor.md"
BEGIN, END = "<!-- written by tests/doctor/doctor_table.py -->", "<!-- end -->"

Found = dict[str, tuple[str, ...]]
"""The illnesses found in each training, the most harmful first."""


@cache
def found_in(what: str) -> Examination:
    """Train and examine one training, once for all that ask."""
    make = HEALTHY[what] if what in HEALTHY else PLANTED[what][1]
    return make().watched().examination


def tables() -> str:
    """Write what is found beside what was planted, in Markdown."""
    planted, healthy = (
        {what: found_in(what).illnesses for what in every} for every in (PLANTED, HEALTHY)
    )
    header = ("illness", "planted", "named first", "named", "in healthy")
    silent = sum(not found for found in healthy.values())
    return "\n".join(
        [
            BEGIN,
            "",
            *_lines(header, _counts(planted, healthy)),
            "",
            *_lines(("what was done", "what was found first"), _firsts(planted)),
            "",
            f"Nothing was found in {silent} of {len(healthy)} healthy trainings:",
            "",
            *(f"- {what}" for what in healthy),
            "",
            END,
        ]
    )


def _counts(planted: Found, healthy: Found) -> Iterator[tuple[object, ...]]:
    alarms = Counter(illness for found in healthy.values() for illness in found)
    for illness in ILLNESSES:
        own = [planted[what] for what, (meant, _) in PLANTED.items() if meant == illness.key]
        first = sum(found[:1] == (illness.key,) for found in own)
        named = sum(illness.key in found for found in own)
        yield illness.name, len(own), first, named, alarms[illness.key]


def _firsts(planted: Found) -> Iterator[tuple[str, str]]:
    names = {illness.key: illness.name for illness in ILLNESSES}
    for what, found in planted.items():
        yield what, names[found[0]] if found else "nothing"


def _lines(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> list[str]:
    every = [header, ("---",) * len(header), *rows]
    return [f"| {' | '.join(map(str, row))} |" for row in every]


def between_marks(page: str) -> tuple[str, str, str]:
    """Return a page before the tables, the tables, and after them."""
    before, rest = page.split(BEGIN)
    inside, after = rest.split(END)
    return before, BEGIN + inside + END, after


def main() -> None:
    """Write the tables into the page."""
    before, _, after = between_marks(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(before + tables() + after, encoding="utf-8")


if __name__ == "__main__":
    main()

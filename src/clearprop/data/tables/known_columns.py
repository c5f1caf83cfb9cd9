"""A table whose columns a model knows, beside those of its training data."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from clearprop.data.reading import Reading, Role, TextForm
from clearprop.data.tables.numerals import is_plain_number
from clearprop.data.tables.text_file import open_text
from clearprop.data.tables.understood import Spelling
from clearprop.errors import DataError, did_you_mean, listed

_PLAIN = bytes(range(128))  # which most encodings have in common
_BY_PLACE = re.compile(r"column (\d{1,6})")


def encoding_of(path: Path, training: str | None) -> str | None:
    """Return the encoding of a text, that of training unless its bytes tell; then it is None."""
    if training is None or _PLAIN.decode(training, "replace") != _PLAIN.decode():
        return training
    try:
        told = open_text(path).encoding.startswith("utf")
    except DataError:  # another alphabet, or no text at all
        return training
    return None if told else training


def lacks_header(names: Sequence[str], roles: Mapping[str, Role]) -> bool:
    """Whether names are cells: a model's columns have none, and numbers stand in their places."""
    matches = [_BY_PLACE.fullmatch(name) for name in roles]
    if not all(matches) or not roles or set(names) & roles.keys():
        return False
    places = [int(match[1]) - 1 for match in matches if match and roles[match[0]] == "number"]
    cells = [names[place] for place in places if place < len(names)]
    return not places or any(map(is_plain_number, cells))


def other_decimal(spelling: Spelling, training: TextForm) -> tuple[str, ...]:
    """Say that numbers are written with another decimal sign than in the training data."""
    if spelling.decimal == (training.decimal or "."):
        return ()
    return (
        f"Numbers are written with the decimal sign {spelling.decimal!r}, in the training "
        f"data with {training.decimal or '.'!r}.",
    )


def require_inputs(path: Path, names: Sequence[str], reading: Reading) -> None:
    """Raise DataError for a column that a model takes and that is not there."""
    if missing := [name for name in reading.roles or () if name not in names]:
        raise DataError(
            f"{path}: The column {missing[0]!r} is missing; found {listed(names)}."
            f"{did_you_mean(missing[0], names)} Rename or add it."
        )

"""Checks of a recipe's fields, which may come from a file that says anything."""

import math
from typing import Any

from clearprop.errors import UsageError


def require_sizes(sizes: Any, name: str) -> None:
    """Raise UsageError unless `sizes` is a tuple of positive int."""
    if not isinstance(sizes, tuple) or not all(_is_int(size) and size > 0 for size in sizes):
        raise UsageError(f"{name} is {sizes!r}, expected a tuple of whole numbers above 0.")


def require_numbers(numbers: Any, name: str, *, positive: bool = False) -> None:
    """Raise UsageError unless every entry of the tuple is a finite, perhaps positive, number."""
    if not isinstance(numbers, tuple) or not all(_is_number(number) for number in numbers):
        raise UsageError(f"{name} is {_shortened(numbers)}, expected finite numbers.")
    if positive and any(number <= 0 for number in numbers):
        raise UsageError(f"{name} holds {min(numbers)}, expected numbers above 0.")


def require_names(names: Any, name: str) -> None:
    """Raise UsageError unless `names` is a tuple of different str."""
    if not isinstance(names, tuple) or not all(isinstance(entry, str) for entry in names):
        raise UsageError(f"{name} is {_shortened(names)}, expected a tuple of texts.")
    if len(set(names)) < len(names):
        raise UsageError(f"{name} holds a text twice: {_shortened(names)}.")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (_is_int(value) or isinstance(value, float)) and math.isfinite(value)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

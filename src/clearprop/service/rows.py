"""The samples of a request: what a model takes, described for others and read from JSON."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from clearprop.configuration import Json
from clearprop.data import Raw
from clearprop.errors import counted, listed, shortened
from clearprop.service.problems import RefusedError

MOST_ROWS = 10_000
MOST_NUMBERS = 1_000_000
"""Rows of a request, and numbers of its answer, at most."""

_KINDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}


class Rows(ABC):
    """What a model takes, and how it comes out of a request.

    Parameters
    ----------
    outputs : int
        The numbers that one sample is answered by.
    """

    key: ClassVar[str] = "rows"
    """The name of the list of samples in the body."""

    pictures: ClassVar[tuple[str, ...]] = ()
    """The media types of bodies that are one sample, as they are."""

    def __init__(self, outputs: int) -> None:
        self.most = max(1, min(MOST_ROWS, MOST_NUMBERS // outputs))

    @property
    @abstractmethod
    def schema(self) -> dict[str, Json]:
        """The JSON schema of one sample."""

    @property
    @abstractmethod
    def example(self) -> Json:
        """A sample that is answered."""

    @abstractmethod
    def read(self, items: Sequence[Any]) -> tuple[Raw, tuple[str, ...]]:
        """Return samples as the recipe takes them, with sentences on what was passed over.

        Raises
        ------
        RefusedError
            If one is not what `schema` says.
        """

    def items(self, value: Any) -> list[Any]:
        """Return the samples of a body, none of which was looked at.

        Raises
        ------
        RefusedError
            If it has none, or too many.
        """
        expected = f'expected {{"{self.key}": [...]}}, see GET /openapi.json'
        if not isinstance(value, dict) or value.keys() != {self.key}:
            found = f"an object of {listed(value) or 'nothing'}" if isinstance(value, dict) else ""
            raise RefusedError(400, f"The body is {found or kind_of(value)}, {expected}.")
        items = value[self.key]
        if not isinstance(items, list):
            raise RefusedError(400, f"{self.key} is {kind_of(items)}, {expected}.")
        if not items:
            raise RefusedError(400, f"{self.key} is empty, expected one of them or more.")
        if len(items) > self.most:
            raise RefusedError(
                400,
                f"Found {counted(len(items), self.key[:-1])}, at most {self.most:,} are answered "
                "at a time. Send them in several requests.",
            )
        return items


class ArrayRows(Rows):
    """Lists of numbers, in each other as the shape of a sample says.

    Parameters
    ----------
    shape : tuple of int
    outputs : int
    """

    def __init__(self, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__(outputs)
        self.shape = shape

    @property
    def schema(self) -> dict[str, Json]:
        """The JSON schema of one sample."""
        found: dict[str, Json] = {"type": "number"}
        for size in reversed(self.shape):
            found = {"type": "array", "items": found, "minItems": size, "maxItems": size}
        return found

    @property
    def example(self) -> Json:
        """A sample of zeros."""
        zeros: Json = np.zeros(self.shape).tolist()
        return zeros

    def read(self, items: Sequence[Any]) -> tuple[Raw, tuple[str, ...]]:
        """Return an array of float64, shape (N, *shape)."""
        for place, item in enumerate(items):
            self._check(item, self.shape, f"rows[{place}]")
        numbers = np.array(items, np.float64)
        if not np.isfinite(numbers).all():
            first = "".join(f"[{at}]" for at in np.argwhere(~np.isfinite(numbers))[0].tolist())
            raise RefusedError(422, f"rows{first} is {BEYOND}.")
        return numbers, ()

    def _check(self, value: Any, shape: tuple[int, ...], place: str) -> None:
        """Check that a sample, or a list in it, has a shape and nothing but numbers."""
        if not shape:
            if type(value) not in (int, float):
                raise RefusedError(400, f"{place} is {kind_of(value)}, expected a number.")
            return
        if not isinstance(value, list) or len(value) != shape[0]:
            found = f"a list of {len(value):,}" if isinstance(value, list) else kind_of(value)
            whole = "x".join(map(str, shape))
            raise RefusedError(400, f"{place} is {found}, expected a list of {whole} numbers.")
        if len(shape) == 1 and set(map(type, value)) <= {int, float}:
            return
        for at, item in enumerate(value):
            self._check(item, shape[1:], f"{place}[{at}]")


BEYOND = "beyond the largest number that there is, 1.8e308"


def kind_of(value: Any) -> str:
    """Say what a value of JSON is, and what it says where that is short: ``text, 'old'``."""
    kind = _KINDS.get(type(value), "a number")
    return f"{kind}, {shortened(value)}" if isinstance(value, str | int | float) else kind
